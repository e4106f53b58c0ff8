// What was admitted of each session over all edges, held against a plain bucket: in no window is it more than the bucket holds
// and what comes in that time. Time counts while a control plane runs.
import { fail } from "../../invariants/violation.js";
import { BUCKETS, type Bucket, type BucketName } from "../parts/lease-policies.js";

/** The decision fell between the two, µs of the simulation. */
export interface Spend {
  readonly session: string;
  readonly fromUs: number;
  readonly toUs: number;
  readonly costs: ReadonlyMap<BucketName, number>;
}

/** Clocks of control planes are read in whole ms, by each of them. */
export const ROUNDING_US = 3000;

export class SpendLedger {
  #spends: Spend[] = [];
  /** µs at which control planes began and ceased to run, in turn. */
  #turns: number[] = [];
  /** By session when its revocation was committed, µs. */
  readonly #revokedAtUs = new Map<string, number>();
  readonly #everRevoked = new Set<string>();
  admitted = 0;

  /** @param ttlUs of a lease */
  constructor(private readonly parts: { readonly buckets: ReadonlyMap<BucketName, Bucket>; readonly ttlUs: number }) {}

  planesRun(atUs: number, isAny: boolean): void {
    if ((this.#turns.length % 2 === 1) !== isAny) this.#turns.push(atUs);
  }

  spent(spend: Spend): void {
    const revokedAtUs = this.#revokedAtUs.get(spend.session);
    if (revokedAtUs !== undefined && spend.fromUs > revokedAtUs + this.parts.ttlUs)
      fail("lease", `${spend.session}: spent ${(spend.fromUs - revokedAtUs) / 1000} ms after it was revoked`);
    this.#spends.push(spend);
    this.admitted += 1;
  }

  /** What reservations did not need is there again: it may be spent once more. */
  credited(session: string, name: BucketName, tokens: number, atUs: number): void {
    this.#spends.push({ session, fromUs: atUs, toUs: atUs, costs: new Map([[name, -tokens]]) });
  }

  revoked(session: string, atUs: number | undefined): void {
    if (atUs === undefined) this.#revokedAtUs.delete(session);
    else {
      this.#revokedAtUs.set(session, atUs);
      this.#everRevoked.add(session);
    }
  }

  /** Also where a failover has lost that: edges that have heard of it do not forget it. */
  wasRevoked(session: string): boolean {
    return this.#everRevoked.has(session);
  }

  /** What was admitted before is not held against what comes: under scope edge each edge has a bucket. */
  beginAnew(): void {
    this.#spends = [];
  }

  /** Tokens that were admitted since. */
  admittedSince(session: string, sinceUs: number): number {
    const since = this.#spends.filter((spend) => spend.session === session && spend.fromUs >= sinceUs);
    return since.reduce((sum, { costs }) => sum + Math.max(0, costs.get("") ?? 0), 0);
  }

  /** Throws a Violation where a window has too much. */
  expectWithin(): void {
    for (const session of new Set(this.#spends.map((spend) => spend.session))) {
      for (const name of BUCKETS) {
        const bucket = this.parts.buckets.get(name);
        const spends = this.#spends.filter((one) => one.session === session && one.costs.has(name));
        if (bucket !== undefined) this.#expectWithin(session, name, bucket, spends);
      }
    }
  }

  #expectWithin(session: string, name: BucketName, bucket: Bucket, spends: readonly Spend[]): void {
    const byEnd = [...spends].sort((one, other) => one.toUs - other.toUs);
    for (const fromUs of new Set(spends.map((one) => one.fromUs))) {
      const before = this.ranUs(fromUs);
      let tokens = 0;
      for (const spend of byEnd) {
        if (spend.fromUs < fromUs) continue;
        tokens += spend.costs.get(name) ?? 0;
        const us = this.ranUs(spend.toUs) - before + ROUNDING_US;
        const most = bucket.maxTokens + (bucket.tokenRefillRate * us) / 1e6;
        if (tokens > most) {
          const window = `${Math.round(fromUs / 1000)} to ${Math.round(spend.toUs / 1000)} ms`;
          fail("lease", `${session}: ${tokens} tokens of "${name}" from ${window}, at most ${most.toFixed(2)}`);
        }
      }
    }
  }

  /** µs for which a control plane ran until then. */
  ranUs(untilUs: number): number {
    let ran = 0;
    for (let at = 0; at < this.#turns.length; at += 2) {
      const [began = 0, ceased = Infinity] = this.#turns.slice(at, at + 2);
      if (began < untilUs) ran += Math.min(untilUs, ceased) - began;
    }
    return ran;
  }
}
