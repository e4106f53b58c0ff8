// What edges have counted, for whoever shows it.
import type { Series } from "../../domain/figures/series-room.js";

/** Why an entry of a report's counters counts for nothing: no counter of this version's filter, or no such numbers. */
export const COUNTER_FAULTS = ["unknown", "malformed"] as const;
export type CounterFault = (typeof COUNTER_FAULTS)[number];

export interface FigureMeter {
  counted(series: Series, amount: number): void;
  /** The series is gone. */
  removed(series: Series): void;
  /** An amount counts where its edge or its plan is not named. */
  sharedSeries(): void;
  counterDropped(fault: CounterFault): void;
}
