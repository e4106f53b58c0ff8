// What must be forgotten in time: client details of old sessions, old keys of creations, old audit entries.
import { setImmediate as nextTurn } from "node:timers/promises";

import { decideForgetting } from "../../domain/decisions/forget-sessions.js";
import { forgetDetailsAhead } from "./ahead-sessions.js";
import type { AuditStore } from "../ports/audit-ports.js";
import { CREATION_KEY_KEPT_MS } from "../sessions/issue-session.js";
import type { OperatorStore } from "../ports/operator-ports.js";
import type { Logger, SteadyClock } from "../ports/ports.js";
import type { Updates } from "../ports/update-ports.js";
import { stoppedOr } from "./claimed-work.js";
import type { ClaimedWork, Stopped } from "./claimed-work.js";
import { logStoreFailure } from "./store-keeping.js";

export interface Retention {
  /** How long after its creation a session's ip and userAgent are kept; null: as long as the session. */
  readonly metadataMs: number | null;
  readonly audit: { readonly maxEntries: number; readonly maxAgeMs: number };
}

/** One transaction each, so that nobody waits long for the store: about 5 ms. */
const CHUNK = 500;

/**
 * Forgets all that is due at `nowMs`, in chunks, with a turn for everything else in between. To be called now and then
 * and never twice at a time; cut short, the next call goes on.
 */
export async function applyRetention(
  store: Updates,
  operator: OperatorStore,
  audit: AuditStore,
  retention: Retention,
  nowMs: number,
  stopped: Stopped = () => false,
): Promise<void> {
  const { metadataMs } = retention;
  if (metadataMs !== null) {
    while (!(await stopped()) && (await forgetDetails(store, nowMs - metadataMs)) > 0) await nextTurn();
    await forgetDetailsAhead(store, nowMs, nowMs - metadataMs, stopped);
  }
  await inChunks(() => operator.forgetCreationKeys(nowMs - CREATION_KEY_KEPT_MS, CHUNK), stopped);
  const bounds = { maxEntries: retention.audit.maxEntries, notBeforeMs: nowMs - retention.audit.maxAgeMs, nowMs };
  await inChunks(() => audit.trimAudit(bounds, CHUNK), stopped);
}

/** Answers how many sessions it looked at: fewer than asked for also where others wrote into the page, 0 after the last. */
async function forgetDetails(store: Updates, createdBeforeMs: number): Promise<number> {
  return (await store.update("withDetails", { createdBeforeMs, limit: CHUNK }, decideForgetting)).answer;
}

/** Client details, keys and audit entries are gone at most this long after their time. */
const EVERY_MS = 60_000;

export interface RetentionParts {
  readonly store: Updates;
  readonly operator: OperatorStore;
  readonly audit: AuditStore;
  readonly retention: Retention;
  readonly claimed: ClaimedWork;
  readonly clock: SteadyClock;
  readonly logger: Logger;
}

/** Keeps house now and then, until it is stopped; the answer does that, and waits for what is under way. */
export function startRetention({
  store,
  operator,
  audit,
  retention,
  claimed,
  clock,
  logger,
}: RetentionParts): () => Promise<void> {
  let underWay: Promise<void> | null = null;
  let isStopped = false;
  const apply = (lost: Stopped): Promise<void> =>
    applyRetention(
      store,
      operator,
      audit,
      retention,
      clock.nowMs(),
      stoppedOr(() => isStopped, lost),
    );
  const round = async (): Promise<void> => {
    try {
      if (clock.isSettled()) await claimed.run("retention", apply);
    } catch (error) {
      logStoreFailure(
        logger,
        error,
        { event: "retention-failed" },
        "what is old could not be removed: tried again in a minute",
      );
    }
    underWay = null;
  };
  const begin = (): void => {
    underWay ??= round();
  };
  const timer = setInterval(begin, EVERY_MS);
  begin();
  return async () => {
    clearInterval(timer);
    isStopped = true;
    await underWay;
  };
}

async function inChunks(forget: () => Promise<number>, stopped: Stopped): Promise<void> {
  while (!(await stopped()) && (await forget()) === CHUNK) await nextTurn();
}
