// What the use cases need of the invalidation log: what edges must receive, in the order in which it became true.
import type { Invalidation, LogPosition } from "../../domain/stored.js";
import type { AgeLimits } from "../../domain/trimming.js";

/** What the log says past a cursor. `outOfReach`: some entries past it are gone, or the cursor is past the head. */
export type LogReading =
  | { readonly kind: "outOfReach"; readonly position: LogPosition }
  | {
      readonly kind: "entries";
      /** The number of the last entry given here; where there is none, the cursor that was asked about. */
      readonly position: LogPosition;
      readonly entries: readonly Invalidation[];
    };

/** A commit that moved the log's head. */
export interface LogAdvance {
  /** Number of the last entry. */
  readonly cursor: number;
  /** Whether one of the new entries is a revocation. */
  readonly revoked: boolean;
}

/** What is kept of the log: entries not older than `notBeforeMs`, and of those the newest `entries`. */
export interface LogLimits extends AgeLimits {
  readonly entries: number;
}

/** The log as readers see it: nothing in it shows before it is durable. */
export interface InvalidationLog {
  position(): Promise<LogPosition>;
  /** The entries after number `since`, the oldest first, at most `limit`. */
  read(since: number, limit: number): Promise<LogReading>;
  /** Calls back after each commit that appended. Returns how to end that. */
  subscribe(listener: (advance: LogAdvance) => void): () => void;
  /** Removes at most `chunk` of the entries that are to go. Answers how many: fewer than that when none is left. */
  trim(limits: LogLimits, chunk: number): Promise<number>;
}

/** Time that passes: passed in, so that whoever waits can be tested without waiting. */
export interface Timers {
  /** Calls back once, `ms` from now. Returns how to prevent that. */
  after(ms: number, call: () => void): () => void;
}
