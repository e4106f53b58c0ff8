// What is stored of one instance, and the entry that is made of it at the start of a process, or by another one. Pure.
import type { Instance } from "../../../domain/stored.js";
import type { ReceivedPolicy } from "../../ports/edge-ports.js";
import type { EdgeStatus, StatusDetail, WatchSaid, WorkerStored } from "../../ports/edge-status-ports.js";
import type { Clock } from "../../ports/ports.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import { isHere, NEVER, newEntry, STORED_LATE_MS } from "./registry-entry.js";
import type { Entry } from "./registry-entry.js";
import type { Workers } from "./workers.js";

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
    const { edge, instance, firstContactAtMs, lastContactAtMs, watching, watchingSinceMs, lastWatch, detail } = stored;
    const silentBeforeMs = watching ? 0 : Math.max(0, endedAtMs - lastContactAtMs - STORED_LATE_MS);
    const addresses = detail?.addresses ?? (lastWatch?.address === undefined ? [] : [lastWatch.address]);
    return {
      ...newEntry({ edge, instance }, atMs(firstContactAtMs)),
      contactAtMs: atMs(lastContactAtMs),
      run: watchingSinceMs === undefined ? undefined : { sinceMs: atMs(watchingSinceMs), addresses },
      awaitedSinceMs: startedAtMs - silentBeforeMs,
      lastWatch: lastWatch && requestOf({ edge, instance }, lastWatch),
      saidAtMs: atMs(detail?.watchedAtMs ?? lastContactAtMs),
      workers: detail ? workersOf(detail, atMs) : new Map(),
      expectedWorkers: detail?.expectedWorkers ?? 0,
    };
  });
}

/**
 * An instance as another process knows it.
 * @param isThere whether that process still is; the watches of one that is not have ended
 */
export function otherEntry(status: EdgeStatus, clock: Clock, isThere: boolean): Entry {
  const { edge, instance, firstContactAtMs, lastContactAtMs, watching, watchingSinceMs, lastWatch, detail } = status;
  const nowMs = clock.monotonicMs();
  const wallMs = clock.nowMs();
  // By whichever clock it is older: where the two differ, nothing counts as more recent than it is.
  const atMs = (stampMs: number): number =>
    nowMs - Math.max(0, wallMs - stampMs, (detail?.writtenAtMs ?? stampMs) - stampMs);
  const { clock: said } = detail ?? {};
  return {
    ...newEntry({ edge, instance }, atMs(firstContactAtMs)),
    contactAtMs: atMs(lastContactAtMs),
    lateMs: STORED_LATE_MS,
    watches: watching && isThere ? 1 : 0,
    watchEndedAtMs: detail?.watchedUntilMs === undefined ? NEVER : atMs(detail.watchedUntilMs),
    lastWatch: lastWatch && requestOf({ edge, instance }, lastWatch),
    saidAtMs: detail?.watchedAtMs === undefined ? NEVER : atMs(detail.watchedAtMs),
    run:
      watchingSinceMs === undefined
        ? undefined
        : { sinceMs: atMs(watchingSinceMs), addresses: detail?.addresses ?? [] },
    clock: said && { ...said, farSinceMs: said.farSinceMs === undefined ? undefined : atMs(said.farSinceMs) },
    workers: detail ? workersOf(detail, atMs) : new Map(),
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

function detailOf(entry: Entry, nowMs: number, wallMs: (atMs: number) => number): StatusDetail {
  const { watches, watchEndedAtMs, saidAtMs, run, clock, workers, expectedWorkers } = entry;
  const untilMs = watches > 0 ? nowMs : watchEndedAtMs;
  return {
    writtenAtMs: wallMs(nowMs),
    watchedAtMs: saidAtMs === NEVER ? undefined : wallMs(saidAtMs),
    watchedUntilMs: untilMs === NEVER ? undefined : wallMs(untilMs),
    addresses: run?.addresses ?? [],
    clock: clock && { ...clock, farSinceMs: clock.farSinceMs === undefined ? undefined : wallMs(clock.farSinceMs) },
    workers: [...workers].map(([worker, said]) => ({
      worker,
      firstReportAtMs: wallMs(said.firstReportAtMs),
      reportedAtMs: wallMs(said.reportedAtMs),
      moreAtMs: said.moreAtMs === undefined ? undefined : wallMs(said.moreAtMs),
      build: said.build,
      runs: said.runs,
      runsSinceMs: wallMs(said.runsSinceMs),
    })),
    expectedWorkers,
  };
}

function workersOf({ workers }: StatusDetail, atMs: (wallMs: number) => number): Workers {
  const said = ({ firstReportAtMs, reportedAtMs, moreAtMs, build, runs, runsSinceMs }: WorkerStored) => ({
    firstReportAtMs: atMs(firstReportAtMs),
    reportedAtMs: atMs(reportedAtMs),
    moreAtMs: moreAtMs === undefined ? undefined : atMs(moreAtMs),
    build,
    runs,
    runsSinceMs: atMs(runsSinceMs),
  });
  return new Map(workers.map((one) => [one.worker, said(one)]));
}

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
