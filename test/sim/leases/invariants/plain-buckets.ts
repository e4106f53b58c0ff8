// Beside each budget a plain bucket that all spends are taken from, and that fills while a control plane runs. What the store has
// to give and what edges may spend at once are together never more than it holds: so a token too many shows as soon as it is
// there, whether anybody spends it or not.
// What a reservation did not need is put into it when the ask that says it is decided, and what it lacked is taken from it when the
// response says so. An edge that owes may spend nothing, but the others may: what is owed is not there. So
//
//   to give + at edges − owed  ≤  the plain bucket, which is below 0 where requests cost more than there was,
//
// and over any time of t seconds, once what was asked before is settled,
//
//   what requests really cost − owed at its end + owed at its beginning  ≤  maxTokens + tokenRefillRate × t + forgiven:
//
// forgiven are debts that end without being paid: of a record that is evicted, of a session that ends, of an Envoy that dies, of
// commits that are lost, and what a bucket owes beyond what it holds.
import { LEASE_TTL_MS } from "../../../../assembly/contract.js";
import type { FleetBudget } from "../../../../control-plane/src/domain/leases/fleet-budget.js";
import type { Changes } from "../../../../control-plane/src/domain/changes.js";
import type { Edge } from "../../../host/harness/scenes/edge.js";
import type { TableRecord } from "../../../host/harness/scenes/table-view.js";
import { fail } from "../../invariants/violation.js";
import { BUCKETS, type Bucket, type BucketName } from "../parts/lease-policies.js";
import { ROUNDING_US, type Spend } from "./spend-ledger.js";

const MICRO = 1_000_000;
const PICO = 1_000_000_000_000;
/** A spend that took longer may have been of a lease that was over meanwhile: the windows of the ledger judge it. */
const QUICK_US = 500_000;

export class PlainBuckets {
  /** By session and bucket: tokens, and for how many µs control planes had run then. */
  readonly #levels = new Map<string, { tokens: number; ranUs: number }>();

  /** By session, instance and ask: tokens that are put in when it is decided, by bucket. */
  readonly #said = new Map<string, Map<BucketName, number>>();
  /** Session and bucket, where the store owes all that it may. */
  readonly #forgives = new Set<string>();

  constructor(
    private readonly parts: {
      readonly buckets: ReadonlyMap<BucketName, Bucket>;
      /** Tokens that each bucket may owe at most, under any policy of the run. */
      readonly mostOwed: ReadonlyMap<BucketName, number>;
      /** Told of what was put in. */
      readonly credited: (session: string, name: BucketName, tokens: number, atUs: number) => void;
      /** µs for which a control plane ran until then. */
      readonly ranUs: (untilUs: number) => number;
    },
  ) {}

  spent({ session, fromUs, toUs, costs }: Spend): void {
    if (toUs - fromUs > QUICK_US) return;
    for (const [name, tokens] of costs) {
      const level = this.#now(session, name, toUs);
      if (level !== undefined) level.tokens -= tokens;
    }
  }

  charged(session: string, name: BucketName, tokens: number, atUs: number): void {
    const level = this.#now(session, name, atUs);
    if (level !== undefined) level.tokens -= tokens;
  }

  /** A debt is gone. */
  forgiven(session: string, name: BucketName, tokens: number, atUs: number): void {
    const level = this.#now(session, name, atUs);
    if (level === undefined) return;
    level.tokens = Math.min(level.tokens + tokens, this.parts.buckets.get(name)?.maxTokens ?? 0);
  }

  saidSettled(ask: AskOf, name: BucketName, tokens: number): void {
    const known = this.#said.get(keyOf(ask)) ?? new Map<BucketName, number>();
    this.#said.set(keyOf(ask), known.set(name, tokens));
  }

  /** Once for each ask, also where the commit is lost later. */
  committed({ budgets = [] }: Changes, atUs: number): void {
    for (const { sessionId: session, budget } of budgets) {
      for (const { instance, ask } of budget?.leases ?? []) {
        const key = keyOf({ session, instance, ask });
        for (const [name, tokens] of this.#said.get(key) ?? []) {
          this.forgiven(session, name, tokens, atUs);
          this.parts.credited(session, name, tokens, atUs);
        }
        this.#said.delete(key);
      }
    }
  }

  /** Throws a Violation. */
  expectCovered(session: string, { levels }: FleetBudget, edges: readonly Edge[], atUs: number): void {
    for (const name of BUCKETS) {
      const bucket = this.parts.buckets.get(name);
      const plain = this.#now(session, name, atUs);
      if (bucket === undefined || plain === undefined) continue;
      const there = (levels[name]?.micro ?? 0) / MICRO;
      const out = edges.reduce((sum, edge) => sum + spendableAt(edge, session, name) - owedAt(edge, session, name), 0);
      this.#forgive(
        `${session} ${name}`,
        there,
        edges.reduce((sum, edge) => sum + owedAt(edge, session, name), 0),
        name,
      );
      if (this.#forgives.has(`${session} ${name}`)) plain.tokens = Math.max(plain.tokens, there + out);
      const holds = plain.tokens;
      if (there + out > holds + (bucket.tokenRefillRate * ROUNDING_US) / 1e6 + 0.001)
        fail(
          "lease",
          `${session}: ${there} to give and ${out} at edges in "${name}", where there are ${holds.toFixed(3)}`,
        );
    }
  }

  /** What an edge says that it owes beyond what the store may owe is forgiven, once the edge has the answer. */
  #forgive(key: string, there: number, owed: number, name: BucketName): void {
    if (there <= -(this.parts.mostOwed.get(name) ?? Infinity)) this.#forgives.add(key);
    else if (owed === 0) this.#forgives.delete(key);
  }

  #now(session: string, name: BucketName, atUs: number): { tokens: number; ranUs: number } | undefined {
    const bucket = this.parts.buckets.get(name);
    if (bucket === undefined) return undefined;
    const ranUs = this.parts.ranUs(atUs);
    const key = `${session} ${name}`;
    const known = this.#levels.get(key) ?? { tokens: bucket.maxTokens, ranUs };
    known.tokens = Math.min(bucket.maxTokens, known.tokens + (bucket.tokenRefillRate * (ranUs - known.ranUs)) / 1e6);
    known.ranUs = ranUs;
    this.#levels.set(key, known);
    return known;
  }
}

/** Tokens that the edge's table lets be spent now. */
export function spendableAt(edge: Edge, session: string, name: BucketName): number {
  const record = edge.table.record(session);
  return record === undefined || !livesAt(edge, record) ? 0 : Math.max(0, tokensIn(record, name));
}

/** Tokens that the edge's table owes. */
export function owedAt(edge: Edge, session: string, name: BucketName): number {
  const record = edge.table.record(session);
  return record?.live === true ? Math.max(0, -tokensIn(record, name)) : 0;
}

const tokensIn = ({ levelPico, annex }: TableRecord, name: BucketName): number =>
  Number(name === "" ? levelPico : (annex?.levelsPico[0] ?? 0n)) / PICO;

/** Whether the record's lease lived so many µs ago. */
export function livesAt(edge: Edge, { live, annex }: TableRecord, agoUs = 0): boolean {
  if (!live || annex === undefined) return false;
  const nowMs = Number(((edge.clock.monotonicNanos - BigInt(agoUs) * 1000n) / 1_000_000n) & 0xffff_ffffn);
  const leftMs = (annex.leaseEndMs - nowMs) >>> 0;
  return leftMs !== 0 && leftMs <= LEASE_TTL_MS;
}

interface AskOf {
  readonly session: string;
  readonly instance: string;
  readonly ask: number;
}

const keyOf = ({ session, instance, ask }: AskOf): string => `${session} ${instance} ${ask}`;
