// What this process and others know of one instance, in one: each call of it may have come to any of them. Pure.
import type { WatchRequest } from "../../ports/watch-ports.js";
import { NEVER } from "../status/registry-entry.js";
import type { Entry } from "../status/registry-entry.js";
import { BREAK_MS, MAX_ADDRESSES } from "../status/watch-run.js";
import type { WatchRun } from "../status/watch-run.js";
import type { Workers, WorkerSaid } from "../status/workers.js";

/** @param parts of one instance, at least one */
export function mergedEntry(parts: readonly [Entry, ...Entry[]]): Entry {
  const [first] = parts;
  if (parts.length === 1) return first;
  // Of one that calls a process that is there it does not matter that it called one before.
  const called = parts.filter(({ awaitedSinceMs }) => awaitedSinceMs === undefined);
  const contactAtMs = highest(parts.map((one) => one.contactAtMs));
  const perhapsAtMs = highest(parts.map((one) => one.contactAtMs + one.lateMs));
  return {
    of: first.of,
    firstContactAtMs: Math.min(...parts.map((one) => one.firstContactAtMs)),
    contactAtMs,
    lateMs: contactAtMs === NEVER ? 0 : perhapsAtMs - contactAtMs,
    awaitedSinceMs: called.length > 0 ? undefined : highest(parts.map((one) => one.awaitedSinceMs ?? NEVER)),
    workers: parts.map(({ workers }) => workers).reduce(workersOfBoth),
    expectedWorkers: highest(parts.map((one) => one.expectedWorkers)),
    watches: parts.reduce((sum, { watches }) => sum + watches, 0),
    watchEndedAtMs: highest(parts.map((one) => one.awaitedSinceMs ?? one.watchEndedAtMs)),
    ...lastWatchOf(parts),
    run: runOf(parts),
    clock: latest(parts.filter(({ clock }) => clock !== undefined))?.clock,
  };
}

const highest = (values: readonly number[]): number => Math.max(...values);

/** The part whose last watch is the latest. */
const latest = (parts: readonly Entry[]): Entry | undefined =>
  parts.reduce<Entry | undefined>(
    (last, one) => (last === undefined || one.saidAtMs > last.saidAtMs ? one : last),
    undefined,
  );

/** What it said last; within one log its cursor only grows, whoever has heard of it. */
function lastWatchOf(parts: readonly Entry[]): Pick<Entry, "lastWatch" | "saidAtMs"> {
  const { lastWatch, saidAtMs = NEVER } = latest(parts.filter((one) => one.lastWatch !== undefined)) ?? {};
  if (lastWatch === undefined) return { lastWatch, saidAtMs };
  return { lastWatch: atFurthest(lastWatch, parts), saidAtMs };
}

function atFurthest(said: WatchRequest, parts: readonly Entry[]): WatchRequest {
  const ofLog = parts.filter(({ lastWatch }) => lastWatch?.log === said.log);
  const since = highest(ofLog.map(({ lastWatch }) => lastWatch?.since ?? 0));
  return since === said.since ? said : { ...said, since };
}

/** The latest run, and those that it continues: watches at one process and then at another are one run. */
function runOf(parts: readonly Entry[]): WatchRun | undefined {
  const runs = parts.flatMap(({ run, watches, awaitedSinceMs, watchEndedAtMs }) =>
    run === undefined ? [] : [{ run, untilMs: watches > 0 ? Infinity : (awaitedSinceMs ?? watchEndedAtMs) }],
  );
  const [last, ...others] = runs.sort((one, other) => other.untilMs - one.untilMs);
  return others.reduce<WatchRun | undefined>((run, { run: before, untilMs }) => {
    if (run === undefined || untilMs < run.sinceMs - BREAK_MS) return run;
    const addresses = [...new Set([...before.addresses, ...run.addresses])].slice(-MAX_ADDRESSES);
    return { sinceMs: Math.min(before.sinceMs, run.sinceMs), addresses };
  }, last?.run);
}

/** The one that reported last is the last. */
function workersOfBoth(some: Workers, more: Workers): Workers {
  if (some.size === 0) return more;
  if (more.size === 0) return some;
  const both = new Map(some);
  for (const [worker, said] of more) both.set(worker, workerOfBoth(said, some.get(worker)));
  return new Map([...both].sort(([, one], [, other]) => one.reportedAtMs - other.reportedAtMs));
}

/** Since when it runs what it runs, the process has told with what it knew of the other's (`EdgeRegistry.reported`). */
function workerOfBoth(one: WorkerSaid, other: WorkerSaid | undefined): WorkerSaid {
  if (other === undefined) return one;
  const [before, last] = one.reportedAtMs >= other.reportedAtMs ? [other, one] : [one, other];
  return {
    ...last,
    firstReportAtMs: Math.min(before.firstReportAtMs, last.firstReportAtMs),
    moreAtMs: laterOf(before.moreAtMs, last.moreAtMs),
  };
}

const laterOf = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
