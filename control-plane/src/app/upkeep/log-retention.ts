// Keeps the invalidation log within its bounds, and forgets bulk revocations that are long done.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { Timers, InvalidationLog } from "../ports/log-ports.js";
import type { Logger, SteadyClock } from "../ports/ports.js";
import type { BulkRevocationStore } from "../ports/revocation-ports.js";
import { stoppedOr } from "./claimed-work.js";
import type { ClaimedWork, Stopped } from "./claimed-work.js";
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
  readonly claimed: ClaimedWork;
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
  try {
    await parts.claimed.run("log-retention", (lost) => trimmed(parts, stoppedOr(isStopped, lost)));
  } catch (error) {
    logStoreFailure(parts.logger, error, { event: "log-trim-failed" }, "the invalidation log could not be trimmed");
  }
}

async function trimmed({ log, revocations, kept, clock }: LogKeepingParts, stopped: Stopped): Promise<void> {
  const nowMs = clock.nowMs();
  // How many there are says no clock.
  const isSettled = clock.isSettled();
  const limits = { notBeforeMs: isSettled ? nowMs - kept.maxAgeMs : -Infinity, nowMs, entries: kept.maxEntries };
  while (!(await stopped()) && (await log.trim(limits, CHUNK)) === CHUNK) await nextTurn();
  const beforeMs = nowMs - REVOCATIONS_KEPT_MS;
  while (isSettled && !(await stopped()) && (await revocations.forgetFinished(beforeMs, CHUNK)) > 0) await nextTurn();
}
