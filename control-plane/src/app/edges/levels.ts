// What a session's buckets hold at an edge: its plan's own and those of its further limits, by what was last reported, or
// by what its fleet budget had left.
import { capacityMicro, refilledMicro } from "../../domain/level.js";
import type { BucketLimits } from "../../domain/level.js";
import { OWN_BUCKET } from "../../domain/leases/fleet-budget.js";
import type { FleetBudget } from "../../domain/leases/fleet-budget.js";
import { levelNamed } from "../../domain/limit-levels.js";
import type { LevelAt } from "../../domain/limit-levels.js";
import type { PlanOfPolicy } from "../../domain/plan.js";
import type { Session } from "../../domain/session.js";
import type { Figures, UsageRow } from "../../domain/stored.js";
import type { SteadyClock } from "../ports/ports.js";
import { lastFigures } from "./usage.js";

/** The buckets that a session has under its plan. */
export type BucketsOfPlan = BucketLimits & Pick<PlanOfPolicy, "name" | "limits">;

/** A plan that the policy lost has no rate, so its bucket stays as it was. Its further limits are not known any more. */
export const bucketsOf = ({ plan }: Session, present: PlanOfPolicy | undefined): BucketsOfPlan =>
  present ?? { name: plan.name, maxTokens: plan.maxTokens, tokenRefillRate: 0, refill: null, limits: [] };

/** What is known of a session at an edge. */
export interface KnownAtEdge {
  readonly edge: string;
  readonly buckets: BucketsOfPlan;
  /** Those of the instance that asks, or of the edge's that reported last; null: the edge never reported the session. */
  readonly figures: Figures | null;
  /** Of all instances. */
  readonly rows: readonly UsageRow[];
  /** Of before, where its plan was of fleet scope: what no edge has had a level of since begins with what that left. */
  readonly budget?: FleetBudget | undefined;
  /** The store's log: in a budget of another one, what was granted last may be missing. */
  readonly log: string;
}

/** The level of the plan's own bucket; undefined: it is full. */
export function ownLevel(known: KnownAtEdge): LevelAt | undefined {
  const { figures } = known;
  const own = figures === null || figures.isLease === true ? undefined : figures;
  return newer(own, leftByFleet(known, OWN_BUCKET));
}

/**
 * The levels of further limits that are known, by name. A limit of the plan that the figures lack was put back, or came, after
 * the instance's last report: then the edge's last report that has it counts, as for a bucket that the instance never reported.
 */
export function knownLimits(known: KnownAtEdge, nowMs: number): Map<string, LevelAt> {
  const { edge, buckets, figures, rows, budget } = known;
  const levels = new Map(Object.entries(figures?.limits ?? {}));
  for (const { name } of buckets.limits) {
    if (levels.has(name)) continue;
    const having = rows.filter((row) => levelNamed(row.figures?.limits, name) !== undefined);
    const level = levelNamed(lastFigures(having, edge, nowMs)?.limits, name);
    if (level !== undefined) levels.set(name, level);
  }
  for (const name of Object.keys(budget?.levels ?? {})) {
    const level = name === OWN_BUCKET ? undefined : newer(levels.get(name), leftByFleet(known, name));
    if (level !== undefined) levels.set(name, level);
  }
  return levels;
}

const newer = (reported: LevelAt | undefined, left: LevelAt | undefined): LevelAt | undefined =>
  reported !== undefined && (left === undefined || reported.atMs > left.atMs) ? reported : left;

/** What is leased is no part of it: the edges that have it may spend it still. */
function leftByFleet({ budget, log }: KnownAtEdge, name: string): LevelAt | undefined {
  if (budget === undefined || !Object.hasOwn(budget.levels, name)) return undefined;
  const { micro = 0 } = budget.levels[name] ?? {};
  return { levelMicro: budget.log === log ? micro : Math.min(micro, 0), atMs: budget.wallMs };
}

/** Microtokens in the buckets now, rounded down; below 0 where one owes: what a settlement charged outlives the edge's record. */
export interface LevelsNow {
  readonly level: number;
  /** By name, also of limits that the present policy lacks: an edge may still have another. Absent where none is known. */
  readonly levels?: Readonly<Record<string, number>>;
}

export function levelsNow(known: KnownAtEdge, clock: SteadyClock): LevelsNow {
  const { buckets } = known;
  // Without a rate it stays as it was.
  const now = ({ levelMicro, atMs }: LevelAt, limits: BucketLimits | undefined): number =>
    limits === undefined ? levelMicro : refilledMicro(levelMicro, clock.elapsedMs(atMs), limits);
  const own = ownLevel(known);
  const level = own === undefined ? capacityMicro(buckets) : now(own, buckets);
  const limits = [...knownLimits(known, clock.nowMs())];
  if (limits.length === 0) return { level };
  const ofPlan = new Map(buckets.limits.map((limit) => [limit.name, limit]));
  return { level, levels: Object.fromEntries(limits.map(([name, at]) => [name, now(at, ofPlan.get(name))])) };
}
