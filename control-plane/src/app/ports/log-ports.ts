// What the use cases need of the invalidation log: what edges must receive, in the order in which it became true.
import type { Invalidation, LogPosition } from "../../domain/stored.js";
import type { AgeLimits } from "../../domain/trimming.js";

/**
 * What the log says past a position. `outOfReach`: the position is of another log, some entries past it are gone, or it is
 * past the head; `position` is the head.
 */
export type LogReading =
  | { readonly kind: "outOfReach"; readonly position: LogPosition }
  | {
      readonly kind: "entries";
      /** Of the last entry given here; where there is none, the position that was asked about. */
      readonly position: LogPosition;
      readonly entries: readonly Invalidation[];
    };

/** The head has moved: commits appended, or the store has another log now. */
export interface LogAdvance extends LogPosition {
  /** Whether one of the new entries is a revocation. False where only the log is another. */
  readonly revoked: boolean;
}

/** What is kept of the log: entries not older than `notBeforeMs`, and of those the newest `entries`. */
export interface LogLimits extends AgeLimits {
  readonly entries: number;
}

/**
 * The log as readers see it: nothing in it shows before it is durable.
 *
 * While the process runs the store may come to have another log, as after a restart or a failover of its server. What was
 * written last may then be lost, and its numbers may come again. So two cursors are compared only where their logs are equal.
 */
export interface InvalidationLog {
  /**
   * The head. Asked of the store and not remembered: whoever asks after a commit gets the log of that commit or a later one.
   * @throws StoreUnwritable (a rejection, as of `read`) where the store cannot be asked
   */
  position(): Promise<LogPosition>;
  /** The entries after `since`, the oldest first, at most `limit`: all of one log. */
  read(since: LogPosition, limit: number): Promise<LogReading>;
  /**
   * Calls back after each commit that appended, whichever process made it; several may be one call. Also where the log is
   * another one than before, without an entry. Returns how to end that.
   */
  subscribe(listener: (advance: LogAdvance) => void): () => void;
  /** Removes at most `chunk` of the entries that are to go. Answers how many: fewer than that when none is left. */
  trim(limits: LogLimits, chunk: number): Promise<number>;
}

/** Time that passes: passed in, so that whoever waits can be tested without waiting. */
export interface Timers {
  /** Calls back once, `ms` from now. Returns how to prevent that. */
  after(ms: number, call: () => void): () => void;
}
