// The workers of one instance: what each last reported, who lags, and how many are silent. Immutable.
import type { Reported, WorkerPolicy } from "../../ports/edge-ports.js";

/** Silent for so long and not watching, an instance is gone (docs/edge-protocol.md). */
export const GONE_AFTER_MS = 300_000;
/** Each reload of a VM makes another. Past it those silent for longest are forgotten. */
const MAX_WORKERS = 128;
/** Longer than a worker counts under any policy: with the longest `reportInterval`, 10 minutes, that is 41 minutes. */
export const WORKER_KEPT_MS = 3_600_000;

/** What a worker's reports have said. Times are monotonic ms; undefined: never, or not said. */
export interface WorkerSaid {
  readonly firstReportAtMs: number;
  readonly reportedAtMs: number;
  /** When a report last said that there was more. */
  readonly moreAtMs: number | undefined;
  readonly build: string | undefined;
  readonly runs: WorkerPolicy | undefined;
  /** Its first report that it runs what it runs now. */
  readonly runsSinceMs: number;
}

/** By worker; the one that reported last is the last. */
export type Workers = ReadonlyMap<string, WorkerSaid>;

/** @param before what the worker has said before, to this process or another */
export function withReport(
  workers: Workers,
  before: WorkerSaid | undefined,
  reported: Reported,
  nowMs: number,
): Workers {
  const { worker, more, arrivedAtMs, build, policy } = reported;
  const next = new Map(workers);
  const goesOn = before !== undefined && before.runs?.hash === policy?.hash;
  next.delete(worker);
  next.set(worker, {
    firstReportAtMs: before?.firstReportAtMs ?? arrivedAtMs,
    reportedAtMs: Math.max(arrivedAtMs, before?.reportedAtMs ?? arrivedAtMs),
    moreAtMs: more ? arrivedAtMs : before?.moreAtMs,
    build,
    runs: policy,
    runsSinceMs: goesOn ? before.runsSinceMs : arrivedAtMs,
  });
  for (const [silent, said] of next) {
    if (next.size <= MAX_WORKERS && nowMs - said.reportedAtMs < WORKER_KEPT_MS) break;
    next.delete(silent);
  }
  return next;
}

export function spokeWithin(workers: Workers, windowMs: number, nowMs: number): number {
  let count = 0;
  for (const { reportedAtMs } of workers.values()) if (nowMs - reportedAtMs <= windowMs) count += 1;
  return count;
}

/**
 * How many workers there are for sure: those that speak, and have been known for longer than the window. A VM that is
 * reloaded goes on under another id: by the time that one counts, the old one has not spoken within the window.
 */
export function established(workers: Workers, windowMs: number, nowMs: number): number {
  let count = 0;
  for (const { firstReportAtMs, reportedAtMs } of workers.values()) {
    if (nowMs - firstReportAtMs > windowMs && nowMs - reportedAtMs <= windowMs) count += 1;
  }
  return count;
}

/**
 * What one worker reports says nothing of the others: they are current when each of them is that is not gone.
 * @param graceMs how old a report may be; a worker that said `more` counts as behind for as long
 */
export function areCurrent(workers: Workers, graceMs: number, nowMs: number): boolean {
  let reporting = 0;
  for (const { reportedAtMs, moreAtMs } of workers.values()) {
    if (nowMs - reportedAtMs >= workerGoneAfterMs(graceMs)) continue;
    if (nowMs - reportedAtMs > graceMs || (moreAtMs !== undefined && nowMs - moreAtMs <= graceMs)) return false;
    reporting += 1;
  }
  return reporting > 0;
}

/** ms since the report of the oldest that is not gone: it holds up what waits for reports. If all are, the youngest. */
export function reportAgeMs(workers: Workers, graceMs: number, nowMs: number): number | null {
  const ages = [...workers.values()].map(({ reportedAtMs }) => nowMs - reportedAtMs);
  if (ages.length === 0) return null;
  const counted = ages.filter((age) => age < workerGoneAfterMs(graceMs));
  return counted.length > 0 ? Math.max(...counted) : Math.min(...ages);
}

/** By 5 minutes, a worker that reports each 10 would be gone between its reports. */
export const workerGoneAfterMs = (graceMs: number): number => Math.max(GONE_AFTER_MS, 2 * graceMs);
