// Keeps the invalidation log within its bounds, and forgets bulk revocations that are long done.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Timers, InvalidationLog } from "../ports/log-ports.js";
import type { Logger, SteadyClock } from "../ports/ports.js";
import type { BulkRevocationStore } from "../ports/revocation-ports.js";
import { logStoreFailure } from "./store-keeping.js";

/** How much of the log is kept. An edge that was away for longer begins anew (docs/edge-protocol.md). */
export interface LogRetention {
  readonly maxEntries: number;
  readonly maxAgeMs: number;
}

/** For who looks up what became of one. */
const REVOCATIONS_KEPT_MS = 86_400_000;
const EVERY_MS = 60_000;
/** Entries a transaction: about 2 ms. */
const CHUNK = 500;

export interface LogKeepingParts {
  readonly log: InvalidationLog;
  readonly revocations: BulkRevocationStore;
  readonly kept: LogRetention;
  readonly clock: SteadyClock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Now and each minute, in chunks with a turn for everything else in between. Returns how to end that. */
export function startLogKeeping(parts: LogKeepingParts): () => Promise<void> {
  let stopped = false;
  let cancel = (): void => undefined;
  let round: Promise<void>;
  const isStopped = (): boolean => stopped;
  const begin = (): void => {
    round = keepLog(parts, isStopped).then(() => {
      if (!stopped) cancel = parts.timers.after(EVERY_MS, begin);
    });
  };
  begin();
  return async () => {
    stopped = true;
    cancel();
    await round;
  };
}

async function keepLog(parts: LogKeepingParts, isStopped: () => boolean): Promise<void> {
  const { log, revocations, kept, clock, logger } = parts;
  const nowMs = clock.nowMs();
  // How many there are says no clock.
  const isSettled = clock.isSettled();
  const limits = { notBeforeMs: isSettled ? nowMs - kept.maxAgeMs : -Infinity, nowMs, entries: kept.maxEntries };
  try {
    while (!isStopped() && (await log.trim(limits, CHUNK)) === CHUNK) await nextTurn();
    while (isSettled && !isStopped() && (await revocations.forgetFinished(nowMs - REVOCATIONS_KEPT_MS, CHUNK)) > 0)
      await nextTurn();
  } catch (error) {
    logStoreFailure(logger, error, { event: "log-trim-failed" }, "the invalidation log could not be trimmed");
  }
}
