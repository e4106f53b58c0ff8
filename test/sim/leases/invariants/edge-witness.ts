// Sees each write to an edge's table: what was spent, what a level was raised by, and when. It knows leases by the answers that
// arrived alone, and reckons their ends by itself.
import {
  PATH_ACQUIRE,
  PATH_LEASE,
  RECORD_BYTES,
  RECORD_ENDED,
  RECORD_LIVE,
  RECORD_STATE_AT,
  RECORD_TOKEN_AT,
  RECORDS_PER_SET,
  SESSION_ID_BYTES,
  TOKEN_SESSION_ID_AT,
} from "../../../../assembly/contract.js";
import type { Edge } from "../../../host/harness/scenes/edge.js";
import { readRecord, type TableRecord } from "../../../host/harness/scenes/table-view.js";
import { fail } from "../../invariants/violation.js";
import type { Call } from "../parts/lease-edge.js";
import { BUCKETS, PATHS, SETTLES, type BucketName, type Path } from "../parts/lease-policies.js";
import { livesAt, type PlainBuckets } from "./plain-buckets.js";
import type { SpendLedger } from "./spend-ledger.js";

type Amounts = Readonly<Record<string, number>>;
const PICO_PER_MICRO = 1_000_000n;
const MICRO = 1_000_000;
const PICO = 1_000_000_000_000;
const ID_AT = RECORD_TOKEN_AT + TOKEN_SESSION_ID_AT;

/** What an answer says of one session's lease. Microtokens; µs of the simulation. */
export interface SaidLease {
  readonly session: string;
  readonly ask: number;
  readonly granted: Amounts;
  /** What the ask said that the table owes. */
  readonly owed: Amounts;
  readonly endUs: number;
}

/** A worker, as it writes. */
export interface Writer {
  /** When it read the clock last. */
  readAtUs: number;
  answering: readonly SaidLease[];
  /** The request whose response it takes; cost: tokens, undefined where nothing says it. */
  settling: { readonly path: Path; readonly cost: number | undefined } | undefined;
}

interface Row {
  readonly session: string;
  readonly ask: number;
  readonly left?: Amounts;
  readonly settled?: Amounts;
}
interface AnsweredLease {
  readonly session?: string;
  readonly ask?: number;
  readonly granted?: Amounts;
  readonly ttl?: number;
}
interface AcquireAnswer {
  readonly session?: string;
  readonly lease?: AnsweredLease;
  readonly others?: readonly AcquireAnswer[];
}

/** A life of an edge's table. */
interface Life {
  /** By session: µs until which the latest lease may be spent. */
  readonly ends: Map<string, number>;
  /** Session and ask of what was taken. */
  readonly taken: Set<string>;
  /** By session and bucket: tokens that reservations did not need, and that no ask has said. */
  readonly refunds: Map<string, number>;
}

export class EdgeWitness {
  readonly #lives = new WeakMap<Edge, Life>();
  /** A level was raised since this was looked at last. */
  wasRaised = false;

  constructor(
    private readonly parts: {
      readonly sessions: readonly string[];
      readonly ledger: SpendLedger;
      readonly plain: PlainBuckets;
      readonly nowUs: () => number;
      /** Tokens; undefined: that changes. */
      readonly holds: (name: BucketName) => number | undefined;
      /** Only leases are spent: no edge has a plan of scope edge, nor had it a while ago. */
      readonly isFleet: () => boolean;
    },
  ) {}

  /** An answer arrives. */
  answered(edge: Edge, call: Call, body: string): readonly SaidLease[] {
    const said = saidIn(call, body);
    const { ends } = this.#lifeOf(edge);
    for (const { session, endUs } of said) ends.set(session, Math.max(ends.get(session) ?? 0, endUs));
    return said;
  }

  wrote(edge: Edge, before: Uint8Array | undefined, after: Uint8Array, writer: Writer): void {
    for (const id of this.parts.sessions) {
      const now = recordIn(after, id);
      const was = before && recordIn(before, id);
      if (was?.live === true && now?.live !== true) this.#ended(id, was);
      if (now === undefined) continue;
      const cost = was === undefined || writer.settling !== undefined ? 0 : costOf(was, now);
      if (cost > 0) this.#spent(edge, id, cost, writer);
      else if (this.parts.isFleet()) {
        this.#kept(edge, id, was, now, writer);
        if (was !== undefined) this.#owes(edge, id, was, now, writer);
      }
    }
  }

  /** Nothing is spent of the session here any more, and what it owes is not asked for. */
  #ended(id: string, was: TableRecord): void {
    for (const [at, name] of BUCKETS.entries()) {
      const tokens = Number(debtAt(was, at)) / PICO;
      if (tokens > 0) this.parts.plain.forgiven(id, name, tokens, this.parts.nowUs());
    }
  }

  /** An ask is sent. Throws a Violation where it gives back more than reservations did not need. */
  asked(edge: Edge, { path, json }: Call): void {
    if (path !== PATH_LEASE) return;
    const { instance, asks } = json as { instance: string; asks: readonly Row[] };
    const { refunds } = this.#lifeOf(edge);
    for (const { session, ask, settled = {} } of asks) {
      for (const [name, micro] of Object.entries(settled)) {
        const key = `${session} ${name}`;
        const left = (refunds.get(key) ?? 0) - micro / MICRO;
        if (left < 0) fail("lease", `${session}: ${-left} more given back in "${name}" than was not needed`);
        refunds.set(key, left);
        this.parts.plain.saidSettled({ session, instance, ask }, name as BucketName, micro / MICRO);
      }
    }
  }

  /** What a response settles: a refund is noted, a charge is owed. Nothing else makes a debt, and only an answer ends or pays one. */
  #owes(edge: Edge, id: string, was: TableRecord, now: TableRecord, { settling, answering, readAtUs }: Writer): void {
    if (!was.live || !now.live) return;
    const settled = settling && SETTLES[settling.path];
    for (const [at, name] of BUCKETS.entries()) {
      if (name === settled) continue;
      const said = answering.find(({ session }) => session === id);
      const ended = (said?.owed[name] ?? 0) + (said?.granted[name] ?? 0);
      const paid = debtAt(now, at) - debtAt(was, at);
      if (paid > 0n) fail("lease", `${id}: owes ${paid} more in "${name}" without a response`);
      if (-paid > BigInt(ended) * PICO_PER_MICRO) fail("lease", `${id}: owes ${-paid} less in "${name}"`);
    }
    if (settling?.cost === undefined || settled === undefined) return;
    const over = settling.cost - PATHS[settling.path][settled === "" ? "own" : "search"];
    if (over < 0) {
      const { refunds } = this.#lifeOf(edge);
      const key = `${id} ${settled}`;
      refunds.set(key, (refunds.get(key) ?? 0) - over);
      return;
    }
    const at = BUCKETS.indexOf(settled);
    const level = levelAt(was, at);
    const stands = livesAt(edge, was, this.parts.nowUs() - readAtUs) || level < 0n ? level : 0n;
    const tokens = Math.min(over, Number(stands - levelAt(now, at)) / PICO);
    const most = this.parts.holds(settled);
    // It owes no more than the bucket holds.
    if (most !== undefined && tokens < Math.min(over, Number(stands) / PICO + most) - 0.001)
      fail("lease", `${id}: ${over} more were used in "${settled}" than reserved, ${tokens} are charged`);
    if (tokens > 0) this.parts.plain.charged(id, settled, tokens, this.parts.nowUs());
  }

  #spent(edge: Edge, id: string, cost: number, { readAtUs }: Writer): void {
    const path = Object.values(PATHS).find(({ own }) => own === cost);
    // Figures that an answer brings, of an edge under scope edge.
    if (path === undefined && !this.parts.isFleet()) return;
    if (path === undefined) fail("lease", `${id}: ${cost} tokens were taken at once`);
    const atUs = this.parts.nowUs();
    const costs = new Map<BucketName, number>([["", path.own]]);
    if (path.search > 0) costs.set("search", path.search);
    if (this.parts.isFleet()) {
      const endUs = this.#lifeOf(edge).ends.get(id) ?? 0;
      if (readAtUs >= endUs) fail("lease", `${id}: spent ${(readAtUs - endUs) / 1000} ms after its lease's end`);
    }
    const spend = { session: id, fromUs: readAtUs, toUs: atUs, costs };
    this.parts.ledger.spent(spend);
    this.parts.plain.spent(spend);
  }

  /** A level is raised by what an answer granted, once, and by nothing else. */
  #kept(edge: Edge, id: string, was: TableRecord | undefined, now: TableRecord, { answering }: Writer): void {
    const raises = BUCKETS.map(
      (name, at) => [name, levelAt(now, at) - (was === undefined ? 0n : levelAt(was, at))] as const,
    );
    if (!now.live || raises.every(([, raise]) => raise <= 0n)) return;
    this.wasRaised = true;
    const said = answering.find(({ session }) => session === id);
    if (said === undefined) fail("lease", `${id}: a level was raised by no answer`);
    for (const [name, raise] of raises) {
      const most = BigInt((said.granted[name] ?? 0) + (said.owed[name] ?? 0)) * PICO_PER_MICRO;
      if (raise > most) fail("lease", `${id}: ${raise} more in "${name}", ${most} granted by ask ${said.ask}`);
    }
    const { taken } = this.#lifeOf(edge);
    const key = `${id} ${said.ask}`;
    if (taken.has(key)) fail("lease", `${id}: the answer to ask ${said.ask} counted twice`);
    taken.add(key);
  }

  #lifeOf(edge: Edge): Life {
    const known = this.#lives.get(edge);
    if (known !== undefined) return known;
    const fresh: Life = { ends: new Map(), taken: new Set(), refunds: new Map() };
    this.#lives.set(edge, fresh);
    return fresh;
  }
}

/** What a request took, by its path's own cost; 0: it is no spend. An answer may bring figures that were reported before. */
function costOf(was: TableRecord, now: TableRecord): number {
  if (!now.live || now.rev !== was.rev + 1) return 0;
  const consumed = now.consumed - was.consumed;
  const { own } = PATHS["/chat"];
  // What is settled later is consumed then.
  return consumed === 0 && was.levelPico - now.levelPico === BigInt(own) * BigInt(PICO) ? own : consumed;
}

const debtAt = (record: TableRecord, at: number): bigint => {
  const level = levelAt(record, at);
  return level < 0n ? -level : 0n;
};

function saidIn({ path, json, sentAtUs }: Call, body: string): readonly SaidLease[] {
  const endOf = (ttl = 0): number => sentAtUs + ttl * 1000;
  if (path === PATH_LEASE) {
    const rows = (json as { asks: readonly Row[] }).asks;
    const { leases } = JSON.parse(body) as { leases: readonly AnsweredLease[] };
    return leases.map(({ session = "", ask = 0, granted = {}, ttl }) => {
      const left = rows.find((row) => row.session === session)?.left ?? {};
      const owed = Object.fromEntries(Object.entries(left).map(([name, micro]) => [name, Math.max(0, -micro)]));
      return { session, ask, granted, owed, endUs: endOf(ttl) };
    });
  }
  if (path !== PATH_ACQUIRE) return [];
  const { session: first } = json as { session: string };
  const answered = JSON.parse(body) as AcquireAnswer;
  return [answered, ...(answered.others ?? [])].map(({ session = first, lease = {} }) => {
    return { session, ask: lease.ask ?? 0, granted: lease.granted ?? {}, owed: {}, endUs: endOf(lease.ttl) };
  });
}

const levelAt = ({ levelPico, annex }: TableRecord, at: number): bigint =>
  at === 0 ? levelPico : (annex?.levelsPico[at - 1] ?? 0n);

function recordIn(value: Uint8Array, id: string): TableRecord | undefined {
  const set = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const bytes = Buffer.from(id.replaceAll("-", ""), "hex");
  for (let slot = 0; slot < RECORDS_PER_SET; slot++) {
    const record = set.subarray(slot * RECORD_BYTES, (slot + 1) * RECORD_BYTES);
    const state = record[RECORD_STATE_AT];
    if (state !== RECORD_LIVE && state !== RECORD_ENDED) continue;
    if (record.compare(bytes, 0, SESSION_ID_BYTES, ID_AT, ID_AT + SESSION_ID_BYTES) === 0)
      return readRecord(record, set);
  }
  return undefined;
}
