// The buckets of a plan as the simulation reckons them, apart from the filter: exact refill in picotokens, what each path
// costs, and the tag that an annex has.
import { createHash } from "node:crypto";
import { PICO_PER_TOKEN } from "../../../assembly/contract.js";
import { exactRate } from "../../../control-plane/src/domain/policy/rate.js";
import type { Limit, Rate } from "../../../control-plane/src/domain/policy/policy.js";
import { COST, costOf, type Path } from "./plan-limits.js";

/** Scope `edge`, in a tag. */
const SCOPE_EDGE = 0;
const US_PER_SECOND = 1_000_000n;
const PICO_PER_MICRO = BigInt(PICO_PER_TOKEN) / 1_000_000n;

export interface Bucket {
  readonly name: string;
  readonly capacityPico: bigint;
  /** Tokens a second. */
  readonly perSecond: number;
  /** P and Q: picotokens in a number of µs, reduced. */
  readonly ratePico: bigint;
  readonly rateUs: bigint;
}

export interface Level {
  readonly pico: bigint;
  readonly remainder: number;
}

export interface PlanBuckets {
  readonly planId: number;
  readonly own: Bucket;
  /** By name; a session's annex has its levels in this order. */
  readonly further: readonly Bucket[];
  /** Of its annexes; undefined: it has no further limits. */
  readonly tag: string | undefined;
  /** What a request of a path takes from each, by name; a limit that it does not spend from is not among them. */
  readonly costs: (path: Path) => ReadonlyMap<string, number>;
}

export interface PlanFigures extends Rate {
  readonly id: number;
  readonly name: string;
  readonly maxTokens: number;
  /** By name. */
  readonly limits: readonly Limit[];
}

export function bucketsOfPlan(plan: PlanFigures): PlanBuckets {
  const { id, name, limits } = plan;
  const costs = (path: Path): ReadonlyMap<string, number> => {
    const further = limits.map((limit) => [limit.name, costOf(path, limit)] as const);
    const spent = further.filter((one): one is readonly [string, number] => one[1] !== undefined);
    return new Map([[name, COST], ...spent]);
  };
  const names = limits.map((limit) => limit.name);
  return { planId: id, own: bucketOf(plan), further: limits.map(bucketOf), tag: tagOf(id, names), costs };
}

function bucketOf({ name, maxTokens, ...rate }: Rate & { readonly name: string; readonly maxTokens: number }): Bucket {
  const { micro, seconds } = exactRate(rate);
  const [pico, us] = [BigInt(micro) * PICO_PER_MICRO, BigInt(seconds) * US_PER_SECOND];
  const divisor = greatestCommonDivisor(pico, us);
  return {
    ...{ name, capacityPico: BigInt(maxTokens) * BigInt(PICO_PER_TOKEN), perSecond: micro / seconds / 1e6 },
    ...{ ratePico: pico / divisor, rateUs: us / divisor },
  };
}

/** Undefined where there are no names (docs/session-table.md, the annex). */
export function tagOf(planId: number, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const head = Buffer.from([planId & 0xff, planId >> 8, SCOPE_EDGE]);
  const text = names.map((name) => Buffer.from([name.length, ...Buffer.from(name)]));
  return createHash("sha256")
    .update(Buffer.concat([head, ...text]))
    .digest("hex")
    .slice(0, 8);
}

/** The level so many µs later. */
export function refilled({ pico, remainder }: Level, elapsedUs: bigint, bucket: Bucket): Level {
  const { capacityPico, ratePico, rateUs } = bucket;
  const isFraction = rateUs > 1n;
  const full: Level = { pico: capacityPico, remainder: isFraction ? 0 : remainder };
  if (pico >= capacityPico) return full;
  const held = isFraction && BigInt(remainder) < rateUs ? BigInt(remainder) : 0n;
  const gained = elapsedUs * ratePico + held;
  const after = pico + gained / rateUs;
  if (after >= capacityPico) return full;
  return { pico: after, remainder: isFraction ? Number(gained % rateUs) : remainder };
}

function greatestCommonDivisor(one: bigint, other: bigint): bigint {
  return other === 0n ? one : greatestCommonDivisor(other, one % other);
}
