// What is kept of a session under a plan of fleet scope: one budget over all Envoys, and which of them may spend how much of
// it until when.
import type { Instance } from "../instance.js";

/** The plan's own bucket; further limits stand under their names. */
export const OWN_BUCKET = "";

/** Microtokens by bucket. One that is missing counts as 0. */
export type Amounts = Readonly<Record<string, number>>;

/** What an answer refused. Times are ms of the fleet clock. */
export interface Refusal {
  readonly bucket: string;
  /** Until then the edge need not ask again. */
  readonly untilMs: number;
  /** Microtokens that the request lacked: others leave them to it for a while. */
  readonly need: number;
  /** Since when it is refused without a break: who waits longer comes first. */
  readonly sinceMs: number;
}

/** What one instance may spend until it ends. It is kept when it is over: its number tells late asks from new ones. */
export interface Lease extends Instance {
  /** The number of the ask that it answers: they only grow. */
  readonly ask: number;
  /** The number was given to an acquire, which knows none. */
  readonly unnumbered: boolean;
  /** Of an acquire that said it: when it asked, ms of the instance's own clock. */
  readonly at?: number;
  /** By this ask. */
  readonly granted: Amounts;
  /** What the edge owed, and handed over with this ask. */
  readonly debtTaken: Amounts;
  /** Granted by this ask or before, and not known to be spent. */
  readonly outstanding: Amounts;
  /** What is used there in LEASE_WANT_MS. */
  readonly want: Amounts;
  readonly refused?: Refusal;
  /** ms of the fleet clock until which less than its part is not granted; 0: nothing was granted to it yet. */
  readonly pacedUntilMs: number;
  /** ms of the fleet clock. From then on what is outstanding counts as spent. */
  readonly untilMs: number;
}

/** A bucket's level, exact: microtokens, and what is left over of one. */
export interface ExactLevel {
  readonly micro: number;
  /** In parts of the rate's denominator, as `exactRate` gives it. */
  readonly remainder: number;
  /** By the names of clocks that found the bucket full, or nearly so (clock-lead.ts). */
  readonly near?: Readonly<Record<string, NearFull>>;
  /** ms that were not credited, of all times. */
  readonly leftOutMs?: number;
  /** By which limits it was filled last: time until then is not worth more under others. */
  readonly under?: LimitsAtLevel;
}

export interface NearFull {
  /** When it did so last, by that clock. */
  readonly atMs: number;
  /** What the store had of all clocks then (DecidingClock). */
  readonly heardMs: number;
  /** Who is ahead of that clock by no more than this, and what was left out, credits nothing twice. */
  readonly freeMs: number;
}

/** Of a bucket's limits what its level depends on. */
export type LimitsAtLevel = readonly [maxTokens: number, tokenRefillRate: number | null, refill: string | null];

export interface FleetBudget {
  /** The store's log when it was written: another one is another life of the store. */
  readonly log: string;
  readonly planId: number;
  /** ms of the fleet clock at which the levels are. */
  readonly atMs: number;
  /** The same moment by the wall clock, ms since the epoch: to compare it with reports. */
  readonly wallMs: number;
  /** By bucket: what is not granted to anybody. Below 0 it owes. Buckets that the plan has lost stay as they were. */
  readonly levels: Readonly<Record<string, ExactLevel>>;
  /** One an instance. */
  readonly leases: readonly Lease[];
  /** ms of the fleet clock before which nothing is granted, credited or refilled; 0: there is none. */
  readonly frozenUntilMs: number;
  /** The highest number of a lease that is not kept any more. */
  readonly forgottenAsk: number;
}
