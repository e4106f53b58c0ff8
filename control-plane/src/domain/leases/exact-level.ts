// One bucket's level: how it fills, and what is put in and taken out. No rounding ever adds up.
import { capacityMicro } from "../level.js";
import type { BucketLimits } from "../level.js";
import type { Rate } from "../policy/policy.js";
import { exactRate } from "../policy/rate.js";
import type { ExactLevel, LimitsAtLevel } from "./fleet-budget.js";
import { OWN_BUCKET } from "./fleet-budget.js";
import type { FleetPlan } from "./lease-ask.js";
import { creditedTime, nearFull } from "./clock-lead.js";
import type { Moment } from "./clock-lead.js";

const MS_PER_SECOND = 1000;

/** The buckets of a plan by name. */
export const bucketsOfPlan = (plan: FleetPlan): ReadonlyMap<string, BucketLimits> =>
  new Map<string, BucketLimits>([[OWN_BUCKET, plan], ...plan.limits.map((limit) => [limit.name, limit] as const)]);

/** Microtokens that the level may have beside what is outstanding. Below 0 where the plan has become smaller. */
export const roomOf = (limits: BucketLimits, outstanding: number): number => capacityMicro(limits) - outstanding;

/** Nothing, at a time that is the store's: no clock says it. */
export const EMPTY: ExactLevel = { micro: 0, remainder: 0 };

/** As a bucket is that can hold no more. */
export const exactly = (micro: number, { by }: Moment): ExactLevel => ({
  ...{ micro, remainder: 0 },
  near: { [by.name]: { atMs: by.ms, heardMs: by.heardMs, freeMs: 0 } },
});

/** It holds no more. */
const cutTo = (level: ExactLevel, micro: number, at: Moment): ExactLevel =>
  nearFull({ ...level, micro, remainder: 0 }, 0, at);

/** By which limits it was filled. */
export const levelUnder = (level: ExactLevel, { maxTokens, tokenRefillRate, refill }: BucketLimits): ExactLevel => ({
  ...level,
  under: [maxTokens, tokenRefillRate, refill],
});

/**
 * By which limits a level is filled for the time since it was filled last: where they became others meanwhile, nobody knows when, so
 * by what admits less of both.
 */
export function limitsSince(under: LimitsAtLevel | undefined, now: BucketLimits): BucketLimits {
  if (under === undefined) return now;
  const [maxTokens, tokenRefillRate, refill] = under;
  const slower = isSlower({ tokenRefillRate, refill }, now) ? { tokenRefillRate, refill } : now;
  return { ...slower, maxTokens: Math.min(maxTokens, now.maxTokens) };
}

function isSlower(one: Rate, other: Rate): boolean {
  const [a, b] = [exactRate(one), exactRate(other)];
  return BigInt(a.micro) * BigInt(b.seconds) < BigInt(b.micro) * BigInt(a.seconds);
}

/**
 * The level after a time: rate × elapsed more, at most `room`. What is left over of a microtoken stays for the next time.
 * Above the room it is cut, though never below 0: tokens that are out under a larger plan are no debt under a smaller one.
 */
export function refilled(
  before: ExactLevel,
  passedMs: number,
  limits: BucketLimits,
  { room, at }: { readonly room: number; readonly at: Moment },
): ExactLevel {
  const micro = Math.max(before.micro, -capacityMicro(limits));
  const [level, elapsedMs] = creditedTime(before, Math.max(0, passedMs), at.by);
  if (micro >= room) return cutTo(level, Math.min(micro, Math.max(0, room)), at);
  const { micro: rate, seconds } = exactRate(limits);
  const parts = BigInt(seconds * MS_PER_SECOND);
  // Of another rate it is worth less than one microtoken either way.
  const rest = BigInt(level.remainder) < parts ? BigInt(level.remainder) : 0n;
  const gained = BigInt(rate) * BigInt(elapsedMs) + rest;
  const next = BigInt(micro) + gained / parts;
  if (next >= BigInt(room)) return cutTo(level, room, at);
  return noted({ ...level, micro: Number(next), remainder: Number(gained % parts) }, limits, room, at);
}

/** Where a bucket is nearly full, another clock would have found it full. */
function noted(level: ExactLevel, limits: BucketLimits, room: number, at: Moment): ExactLevel {
  return nearFull(level, msToGain(room - level.micro, limits), at);
}

/** With an amount more, at most the room. */
export function credited(
  level: ExactLevel,
  amount: number,
  limits: BucketLimits,
  { room, at }: { readonly room: number; readonly at: Moment },
): ExactLevel {
  const micro = level.micro + amount;
  return micro <= room ? noted({ ...level, micro }, limits, room, at) : cutTo(level, Math.max(level.micro, room), at);
}

/** With an amount less. It owes at most what the bucket holds. */
export const debited = (level: ExactLevel, amount: number, limits: BucketLimits): ExactLevel => ({
  ...level,
  micro: Math.min(level.micro, Math.max(level.micro - amount, -capacityMicro(limits))),
});

/** ms until a bucket has so many microtokens more; Infinity where it never will. */
export function msToGain(amount: number, limits: BucketLimits): number {
  if (amount <= 0) return 0;
  const { micro, seconds } = exactRate(limits);
  return micro === 0 ? Infinity : Math.ceil((amount * seconds * MS_PER_SECOND) / micro);
}
