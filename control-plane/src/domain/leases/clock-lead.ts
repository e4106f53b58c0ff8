// What is not credited of a time because two control planes' clocks differ. Where one of them finds a bucket full, what another
// one is ahead of it would come in once too often (docs/decisions/0085-leases.md#times).
import type { ExactLevel } from "./fleet-budget.js";
import { NOBODY } from "./store-life.js";
import type { DecidingClock } from "./store-life.js";

/** By how much the times by which two control planes decide at one moment differ at most, ms (app/upkeep/fleet-clock.ts). */
export const CLOCKS_DIFFER_MS = 250;
/** A level keeps as many that found it nearly full. */
const KEPT_CLOCKS = 4;

type Finders = NonNullable<ExactLevel["near"]>;

/** When a level is looked at: `fleetMs` by the clock of `by`, or later where the budget is. */
export interface Moment {
  readonly fleetMs: number;
  readonly by: DecidingClock;
}

/**
 * What of a time that passed by the clock of `by` is credited.
 * @returns the level with what was left out of that, and the ms that are credited
 */
export function creditedTime(level: ExactLevel, elapsedMs: number, by: DecidingClock): readonly [ExactLevel, number] {
  const { near = {}, leftOutMs = 0 } = level;
  const dueMs = Object.entries(near).map(([name, { freeMs }]) => leadMs(name, by) - freeMs - leftOutMs);
  const outMs = Math.min(Math.max(0, ...dueMs), elapsedMs);
  return outMs === 0 ? [level, elapsedMs] : [{ ...level, leftOutMs: leftOutMs + outMs }, elapsedMs - outMs];
}

/** @param fullInMs a clock that is ahead of that of `by` by so much, or more, would find the bucket full */
export function nearFull(level: ExactLevel, fullInMs: number, { fleetMs, by }: Moment): ExactLevel {
  if (fullInMs >= CLOCKS_DIFFER_MS) return level;
  const { near = {}, leftOutMs = 0 } = level;
  const { [by.name]: before, ...others } = near;
  // Where the budget is later than the clock, who is ahead of that by so much is ahead of the budget by nothing. What was left
  // out until now was not of this.
  const freeMs = fullInMs + Math.max(0, fleetMs - by.ms) - leftOutMs;
  const found = { atMs: by.ms, heardMs: by.heardMs, freeMs: Math.min(freeMs, before?.freeMs ?? Infinity) };
  return { ...level, near: { ...newest(thatMatter(others, leftOutMs)), [by.name]: found } };
}

/** Without those that no clock can be ahead of by more than what was left out since. */
const thatMatter = (all: Finders, leftOutMs: number): Finders =>
  Object.fromEntries(Object.entries(all).filter(([, { freeMs }]) => freeMs + leftOutMs < CLOCKS_DIFFER_MS));

/** Where there are too many, of the oldest nothing is known any more but that it is a clock. */
function newest(all: Finders): Finders {
  const [oldest, ...others] = Object.entries(all).sort(([, a], [, b]) => a.atMs - b.atMs);
  if (oldest === undefined || others.length < KEPT_CLOCKS - 1) return all;
  const [, found] = oldest;
  const freeMs = Math.min(found.freeMs, all[NOBODY]?.freeMs ?? Infinity);
  return { ...Object.fromEntries(others), [NOBODY]: { ...found, freeMs } };
}

/** By how much `by` is ahead of a clock at most, ms. */
const leadMs = (of: string, { name, leads }: DecidingClock): number =>
  of === name && name !== NOBODY ? 0 : Math.min(leads.get(of) ?? CLOCKS_DIFFER_MS, CLOCKS_DIFFER_MS);
