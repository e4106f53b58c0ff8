// What is stored of edges' instances, so that another process over the same store knows who was there.
import type { Instance } from "../../domain/stored.js";
import type { ReceivedPolicy } from "./edge-ports.js";
import type { WatchRequest } from "./watch-ports.js";

/** What an instance's last watch said, without the violations that it found, and without what time it was. */
export interface WatchSaid extends Omit<WatchRequest, keyof Instance | "policy" | "address" | "wallMs"> {
  /** Undefined also where an older version has stored it. */
  readonly address?: string | undefined;
  readonly policy: Omit<ReceivedPolicy, "violations"> | undefined;
}

/**
 * An instance as it stood some time ago: a change of its state is written within a second or so, everything else each
 * half minute. What its workers run is no part of it. Times are ms since the epoch.
 */
export interface EdgeStatus extends Instance {
  readonly firstContactAtMs: number;
  readonly lastContactAtMs: number;
  readonly watching: boolean;
  /** Since when it has watched without a longer break. Undefined: it never has, or an older version has stored it. */
  readonly watchingSinceMs?: number | undefined;
  /** Undefined: it has not watched yet. */
  readonly lastWatch: WatchSaid | undefined;
}

export interface EdgeStatusStore {
  /** All that is stored, in any order. */
  all(): Promise<readonly EdgeStatus[]>;
  /** One transaction: each status takes the place of its instance's one before. */
  write(changed: readonly EdgeStatus[], gone: readonly Instance[]): Promise<void>;
}
