// What use cases need for leases: the time by which they are decided, and whoever counts what happened to them.
import type { OutcomeOfAsk } from "../../domain/decisions/lease-tokens.js";
import type { Moved } from "../../domain/leases/lease-ask.js";
import type { NearFull } from "../../domain/leases/fleet-budget.js";
import type { FleetMoment } from "../../domain/leases/store-life.js";

/** The fleet clock as decisions read it (docs/decisions/0084-time-that-only-counts.md). */
export interface FleetNow {
  /** Undefined: it has not begun. */
  now(): FleetMoment | undefined;
  /**
   * What was read or written in the store may be of a later time than is known here: it is that late, then. Of another log
   * than the clock counts for: the store is in another life.
   */
  see(log: string, atMs: number): void;
  /** What was read in the store says how late another clock was. */
  learn(log: string, by: string, found: NearFull): void;
}

export interface LeaseMeter {
  /** An ask was decided on, durably. */
  leased(outcome: OutcomeOfAsk, moved: Moved | undefined): void;
  /** An ask was none. */
  askDropped(): void;
}
