// What is stored of one instance, and the entry that is made of it at the start of a process, or by another one. Pure.
import type { Instance } from "../../../domain/stored.js";
import type { ReceivedPolicy } from "../../ports/edge-ports.js";
import type { EdgeStatus, StatusDetail, WatchSaid, WorkerStored } from "../../ports/edge-status-ports.js";
import type { Clock } from "../../ports/ports.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import type { EdgeClock } from "./edge-clocks.js";
import { isHere, NEVER, newEntry, STORED_LATE_MS } from "./registry-entry.js";
import type { Entry } from "./registry-entry.js";
import type { WorkerSaid } from "./workers.js";

/**
 * The instances that called processes which are no more, at this one's start; the latest contact is the last.
 * @param heardUntilMs until when some other process was running, at least; ms since the epoch
 */
export function awaitedEntries(stored: readonly EdgeStatus[], clock: Clock, heardUntilMs = 0): Entry[] {
  const startedAtMs = clock.monotonicMs();
  const sorted = [...stored].sort((one, other) => one.lastContactAtMs - other.lastContactAtMs);
  const nowMs = clock.nowMs();
  // Until then, at least, a control plane was running. A stamp from ahead says nothing of the others: the clock went back.
  const latestMs = sorted.findLast(({ lastContactAtMs }) => lastContactAtMs <= nowMs)?.lastContactAtMs ?? 0;
  const endedAtMs = Math.max(latestMs, Math.min(heardUntilMs, nowMs));
  const atMs = (wallMs: number): number => startedAtMs - Math.max(0, nowMs - wallMs);
  return sorted.map((stored) => {
    const { lastContactAtMs, watching, detail } = stored;
    const silentBeforeMs = watching ? 0 : Math.max(0, endedAtMs - lastContactAtMs - STORED_LATE_MS);
    return {
      ...entryOf(stored, atMs),
      awaitedSinceMs: startedAtMs - silentBeforeMs,
      saidAtMs: atMs(detail?.watchedAtMs ?? lastContactAtMs),
    };
  });
}

/**
 * An instance as another process knows it.
 * @param isThere whether that process still is; the watches of one that is not have ended
 */
export function otherEntry(status: EdgeStatus, clock: Clock, isThere: boolean): Entry {
  const { watching, detail } = status;
  const nowMs = clock.monotonicMs();
  const wallMs = clock.nowMs();
  // By whichever clock it is older: where the two differ, nothing counts as more recent than it is.
  const atMs = (stampMs: number): number =>
    nowMs - Math.max(0, wallMs - stampMs, (detail?.writtenAtMs ?? stampMs) - stampMs);
  return {
    ...entryOf(status, atMs),
    lateMs: STORED_LATE_MS,
    watches: watching && isThere ? 1 : 0,
    watchEndedAtMs: ifSaid(detail?.watchedUntilMs, atMs) ?? NEVER,
    saidAtMs: ifSaid(detail?.watchedAtMs, atMs) ?? NEVER,
    clock: detail?.clock && clockBy(detail.clock, atMs),
  };
}

/** From the times of one clock to those of another. */
type ToMs = (ms: number) => number;

const ifSaid = (ms: number | undefined, toMs: ToMs): number | undefined => (ms === undefined ? undefined : toMs(ms));

/** What means the same to whoever reads it. */
function entryOf(status: EdgeStatus, atMs: ToMs): Entry {
  const { edge, instance, firstContactAtMs, lastContactAtMs, watchingSinceMs, lastWatch, detail } = status;
  const addresses = detail?.addresses ?? (lastWatch?.address === undefined ? [] : [lastWatch.address]);
  return {
    ...newEntry({ edge, instance }, atMs(firstContactAtMs)),
    contactAtMs: atMs(lastContactAtMs),
    lastWatch: lastWatch && requestOf({ edge, instance }, lastWatch),
    run: watchingSinceMs === undefined ? undefined : { sinceMs: atMs(watchingSinceMs), addresses },
    workers: new Map(detail?.workers.map((one) => [one.worker, saidBy(one, atMs)])),
    expectedWorkers: detail?.expectedWorkers ?? 0,
  };
}

export interface StatusNow {
  readonly status: EdgeStatus;
  /** False between two watches: it changes also without a further contact. */
  readonly isSettled: boolean;
}

/**
 * What is to be stored of one that is not gone; undefined for one that never called.
 * @param isDetailed whether other processes read it
 */
export function statusOf(entry: Entry, clock: Clock, isDetailed: boolean): StatusNow | undefined {
  const nowMs = clock.monotonicMs();
  if (entry.contactAtMs === NEVER) return undefined;
  const wallMs = (atMs: number): number => Math.round(clock.nowMs() - (nowMs - atMs));
  const watching = isHere(entry, nowMs);
  const status = {
    ...entry.of,
    firstContactAtMs: wallMs(entry.firstContactAtMs),
    lastContactAtMs: wallMs(entry.contactAtMs),
    watching,
    watchingSinceMs: entry.run && wallMs(entry.run.sinceMs),
    lastWatch: entry.lastWatch && watchSaidBy(entry.lastWatch, isDetailed),
    ...(isDetailed ? { detail: detailOf(entry, nowMs, wallMs) } : {}),
  };
  return { status, isSettled: watching === entry.watches > 0 };
}

function detailOf(entry: Entry, nowMs: number, wallMs: ToMs): StatusDetail {
  const { watches, watchEndedAtMs, saidAtMs, run, clock, workers, expectedWorkers } = entry;
  const untilMs = watches > 0 ? nowMs : watchEndedAtMs;
  return {
    writtenAtMs: wallMs(nowMs),
    watchedAtMs: saidAtMs === NEVER ? undefined : wallMs(saidAtMs),
    watchedUntilMs: untilMs === NEVER ? undefined : wallMs(untilMs),
    addresses: run?.addresses ?? [],
    clock: clock && clockBy(clock, wallMs),
    workers: [...workers].map(([worker, said]) => ({ worker, ...saidBy(said, wallMs) })),
    expectedWorkers,
  };
}

function saidBy(said: WorkerSaid | WorkerStored, toMs: ToMs): WorkerSaid {
  const { firstReportAtMs, reportedAtMs, moreAtMs, build, runs, runsSinceMs } = said;
  return {
    firstReportAtMs: toMs(firstReportAtMs),
    reportedAtMs: toMs(reportedAtMs),
    moreAtMs: ifSaid(moreAtMs, toMs),
    build,
    runs,
    runsSinceMs: toMs(runsSinceMs),
  };
}

const clockBy = (clock: NonNullable<StatusDetail["clock"]>, toMs: ToMs): EdgeClock => ({
  ...clock,
  farSinceMs: ifSaid(clock.farSinceMs, toMs),
});

function watchSaidBy(request: WatchRequest, isDetailed: boolean): WatchSaid {
  const { log, since, follow, policy, filter, table, address } = request;
  const said = isDetailed ? policy : policy && withoutViolations(policy);
  return { log, since, follow, policy: said, filter, table, address };
}

const withoutViolations = ({ log, generation, hash, state }: ReceivedPolicy): WatchSaid["policy"] => ({
  log,
  generation,
  hash,
  state,
});

const requestOf = (of: Instance, said: WatchSaid): WatchRequest => ({
  ...of,
  ...said,
  address: said.address,
  wallMs: undefined,
  policy: said.policy && { violations: [], ...said.policy },
});
