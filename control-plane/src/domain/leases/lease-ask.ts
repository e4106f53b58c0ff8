// What an edge asks of a session's fleet budget, and what it is answered.
import type { PlanOfPolicy } from "../plan.js";
import type { Instance } from "../instance.js";
import type { UsageRow } from "../stored.js";
import type { Amounts, FleetBudget } from "./fleet-budget.js";
import type { DecidingClock } from "./store-life.js";

export interface LeaseAsk extends Instance {
  /** 0: an acquire, which knows no number. */
  readonly ask: number;
  /** Of an acquire: when it asked, ms of the instance's own clock, which never goes back. Absent: it did not say. */
  readonly at?: number;
  /** The last ask whose answer the edge's table has taken; 0: none. */
  readonly applied: number;
  /** What the edge has and may still spend; below 0 it owes. */
  readonly left: Amounts;
  /** What it gives back: it will not spend that any more. */
  readonly back: Amounts;
  /** What reservations turned out not to have cost. */
  readonly settled: Amounts;
  /** Of the request that waits, or of the last one. A bucket that it does not spend from is left out. */
  readonly cost: Amounts;
  /** What is used there in LEASE_WANT_MS. */
  readonly want: Amounts;
}

export interface LeaseAnswer {
  readonly ask: number;
  readonly granted: Amounts;
  /** All that is left there ends so long after the edge asked, and never sooner than it would have; 0: as it would have. */
  readonly ttlMs: number;
  readonly refused?: { readonly bucket: string; readonly retryAfterMs: number };
  /** The ask was of a former number, and nothing came of it: this one counts. */
  readonly is?: number;
}

/** Of a plan, what its buckets are. */
export type FleetPlan = Pick<PlanOfPolicy, "id" | "maxTokens" | "tokenRefillRate" | "refill" | "limits">;

/** When and by what an ask is decided. */
export interface LeaseMoment {
  /** The store's log: its life. */
  readonly log: string;
  /** ms of the fleet clock. */
  readonly fleetMs: number;
  readonly by: DecidingClock;
  /** The same moment, ms since the epoch. */
  readonly wallMs: number;
  /** The session's plan, as the policy has it now. */
  readonly plan: FleetPlan;
  /** The session's at all instances, those that were merged and are remembered too. */
  readonly rows: readonly UsageRow[];
  /**
   * ms of the fleet clock at which the store's present life began at the latest, where the session is older than that: what
   * was granted to it before may be lost. Absent where it is not.
   */
  readonly lifeBeganMs?: number;
}

/** granted: something. refused: a request gets nothing. idle: nothing was needed. */
export type LeaseOutcome = "granted" | "refused" | "idle" | "stale" | "repeated";

/** Microtokens of each bucket that a decision moved. */
export interface Moved {
  readonly granted: Amounts;
  /** Given back by the edge. */
  readonly returned: Amounts;
  /** Of leases that ended without a word. */
  readonly expired: Amounts;
  /** Granted by an answer that never came to count. */
  readonly voided: Amounts;
  /** Used at the edge, as far as this ask says. */
  readonly spent: Amounts;
}

export interface LeaseDecision {
  /** The very same where nothing has to be written. */
  readonly budget: FleetBudget;
  readonly answer: LeaseAnswer;
  readonly outcome: LeaseOutcome;
  readonly moved: Moved;
}
