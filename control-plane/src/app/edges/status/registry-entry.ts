// What the registry remembers of one instance, and what others see of that. Pure.
import type { Instance } from "../../../domain/stored.js";
import type { WatchRequest } from "../../ports/watch-ports.js";
import { GONE_AFTER_MS, reportAgeMs, spokeWithin } from "./workers.js";
import type { Workers } from "./workers.js";
import type { EdgeClock } from "./edge-clocks.js";
import { BREAK_MS } from "./watch-run.js";
import type { WatchRun } from "./watch-run.js";

/**
 * An instance whose last watch ended longer ago has left, and its workers with it: that is no silence of some of them.
 * Shorter than any worker takes to count as silent after its Envoy has ended (reportInterval + 10 s), longer than an
 * edge takes to watch anew.
 */
const BETWEEN_WATCHES_MS = 5_000;

/** What is stored of an instance may be older than its last contact with the process that did, by this much at most. */
export const STORED_LATE_MS = 35_000;

export const NEVER = -Infinity;

/** Times are monotonic ms. */
export interface Entry {
  readonly of: Instance;
  readonly firstContactAtMs: number;
  readonly contactAtMs: number;
  /** How much later the last contact may have been: another process knows it at first hand. */
  readonly lateMs: number;
  /**
   * Of one that called only an earlier process: since when it has been silent while a control plane was
   * running. Time in which none ran does not count.
   */
  readonly awaitedSinceMs: number | undefined;
  readonly workers: Workers;
  /** The most that were established at a time. */
  readonly expectedWorkers: number;
  /** Held now. */
  readonly watches: number;
  readonly watchEndedAtMs: number;
  readonly lastWatch: WatchRequest | undefined;
  /** When it said that. */
  readonly saidAtMs: number;
  /** Undefined: it has not watched yet. */
  readonly run: WatchRun | undefined;
  /** Undefined: it has not said what time it is, to this process. */
  readonly clock: EdgeClock | undefined;
}

export interface KnownInstance extends Instance {
  /** ms since the first sign of life, and since the last. */
  readonly knownMs: number;
  readonly contactMs: number;
  /** The same as the last, but for time in which no control plane was running. */
  readonly silentMs: number;
  /** It was there before this process, and has not called it yet. */
  readonly isAwaited: boolean;
  /** ms since the last report of the worker that is furthest behind and not gone; null if there was none. */
  readonly reportAgeMs: number | null;
  readonly watching: boolean;
  readonly lastWatch: WatchRequest | undefined;
  readonly workers: Workers;
  /** By how many fewer workers spoke within the window than there were before. */
  readonly silentWorkers: number;
  /** Of its watches without a longer break: ms since the first, and since it was last seen to watch. */
  readonly run: {
    readonly sinceAgeMs: number;
    readonly untilAgeMs: number;
    readonly addresses: readonly string[];
  } | null;
  /** Null: it does not watch, or its filter does not say. */
  readonly clock: EdgeClock | null;
}

const NO_WORKERS: Workers = new Map();

export const newEntry = ({ edge, instance }: Instance, nowMs: number): Entry => ({
  of: { edge, instance },
  firstContactAtMs: nowMs,
  contactAtMs: NEVER,
  lateMs: 0,
  awaitedSinceMs: undefined,
  workers: NO_WORKERS,
  expectedWorkers: 0,
  watches: 0,
  watchEndedAtMs: NEVER,
  lastWatch: undefined,
  saidAtMs: NEVER,
  run: undefined,
  clock: undefined,
});

export const withoutWorkers = (entry: Entry): Entry => ({ ...entry, workers: NO_WORKERS, expectedWorkers: 0 });

/** Whether more has changed than what its workers say, and when its last contact was. */
export const isChanged = (before: Entry, after: Entry): boolean =>
  before.contactAtMs === NEVER || before.watches !== after.watches || before.lastWatch !== after.lastWatch;

export interface LookParts {
  /** How old a report may be; a worker that said `more` counts as behind for as long. */
  readonly graceMs: number;
  readonly windowMs: number;
  readonly nowMs: number;
  readonly heardSinceMs: number;
  /** One whose watch ended no longer ago still counts as watching; NEVER: its end is known at once. */
  readonly movesWithinMs: number;
}

export function knownInstance(entry: Entry, parts: LookParts): KnownInstance {
  const { graceMs, windowMs, nowMs, heardSinceMs, movesWithinMs } = parts;
  return {
    ...entry.of,
    knownMs: nowMs - entry.firstContactAtMs,
    contactMs: nowMs - entry.contactAtMs,
    silentMs: silentMs(entry, nowMs, heardSinceMs),
    isAwaited: entry.awaitedSinceMs !== undefined,
    reportAgeMs: reportAgeMs(entry.workers, graceMs, nowMs),
    watching: entry.watches > 0 || nowMs - entry.watchEndedAtMs <= movesWithinMs,
    lastWatch: entry.lastWatch,
    workers: entry.workers,
    silentWorkers: silentWorkersOf(entry, windowMs, nowMs),
    run: entry.run ? runOf(entry, entry.run, nowMs) : null,
    clock: clockOf(entry, nowMs) ?? null,
  };
}

function runOf(entry: Entry, { sinceMs, addresses }: WatchRun, nowMs: number): NonNullable<KnownInstance["run"]> {
  return { sinceAgeMs: nowMs - sinceMs, untilAgeMs: nowMs - watchedUntilMs(entry, nowMs), addresses };
}

/** When it was last seen to watch; of one that called only an earlier process, no later than this one's start. */
export function watchedUntilMs(entry: Entry, nowMs: number): number {
  if (entry.watches > 0) return nowMs;
  return entry.awaitedSinceMs ?? entry.watchEndedAtMs;
}

/** What it said of its clock a while ago says nothing of the present. */
export const clockOf = (entry: Entry, nowMs: number): EdgeClock | undefined =>
  nowMs - watchedUntilMs(entry, nowMs) <= BREAK_MS ? entry.clock : undefined;

/** @param heardSinceMs since when calls could be heard: the time before then is no silence (`KnownInstances`) */
export function isGone(entry: Entry, nowMs: number, heardSinceMs: number): boolean {
  return entry.watches === 0 && silentMs(entry, nowMs, heardSinceMs) - entry.lateMs >= GONE_AFTER_MS;
}

const silentMs = (entry: Entry, nowMs: number, heardSinceMs: number): number =>
  nowMs - Math.max(entry.awaitedSinceMs ?? entry.contactAtMs, heardSinceMs);

/** It watches, or has only just been answered. */
export const isHere = (entry: Entry, nowMs: number): boolean =>
  entry.watches > 0 || nowMs - entry.watchEndedAtMs <= BETWEEN_WATCHES_MS;

function silentWorkersOf(entry: Entry, windowMs: number, nowMs: number): number {
  if (!isHere(entry, nowMs)) return 0;
  return Math.max(0, entry.expectedWorkers - spokeWithin(entry.workers, windowMs, nowMs));
}
