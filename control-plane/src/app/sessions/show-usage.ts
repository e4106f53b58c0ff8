// Use cases: what a session spent where, and what its buckets hold.
import type { IssuedBy } from "../../domain/issued-by.js";
import type { UsageRow } from "../../domain/stored.js";
import { MICROTOKENS_PER_TOKEN } from "../../../../assembly/contract.js";
import { isFormer } from "../../domain/former-rows.js";
import { capacityMicro, refilledMicro } from "../../domain/level.js";
import type { BucketLimits } from "../../domain/level.js";
import type { LevelAt } from "../../domain/limit-levels.js";
import { knownOf } from "../../domain/decisions/hold-session.js";
import type { Known } from "../../domain/decisions/hold-session.js";
import { planById } from "../../domain/plan.js";
import { tokensPerSecond } from "../../domain/policy/rate.js";
import { bucketsOf, knownLimits, ownLevel } from "../edges/levels.js";
import type { BucketsOfPlan } from "../edges/levels.js";
import { lastFigures } from "../edges/usage.js";
import type { UsagePorts } from "../edges/usage.js";
import type { SteadyClock } from "../ports/ports.js";
import { fleetView } from "./fleet-view.js";
import type { FleetView } from "./fleet-view.js";
import { isWithinReach } from "./within-reach.js";

export interface UsageOfInstance {
  readonly instance: string;
  readonly consumed: number;
  readonly rev: number;
  /** ms since the epoch; null where it has not reported the session yet. */
  readonly lastReport: number | null;
  /** When a request was last admitted there, ms since the epoch; null as above. */
  readonly lastActivity: number | null;
}

export interface UsageOfEdge {
  readonly edge: string;
  readonly consumed: number;
  readonly instances: readonly UsageOfInstance[];
}

/** Tokens. `consumed` is the sum over all edges and `direct`, what was taken through the API. */
export interface SessionUsage {
  readonly consumed: number;
  readonly direct: number;
  readonly edges: readonly UsageOfEdge[];
  /** Absent under a plan of another scope. */
  readonly fleet?: FleetView;
}

type ShowPorts = Pick<UsagePorts, "store" | "operator" | "usage" | "policies" | "clock" | "fleetClock">;

/** Undefined if there is no such session, or none that the caller issued. */
export async function showUsage(
  ports: ShowPorts,
  id: string,
  issuedBy: IssuedBy | null,
): Promise<SessionUsage | undefined> {
  if (!(await isWithinReach(ports, id, issuedBy))) return undefined;
  const look = await ports.usage.look(id);
  const { session, rows } = knownOf(look);
  if (session === undefined) return undefined;
  const edges = edgesOf(rows).map((edge): UsageOfEdge => {
    const instances = rows.filter((row) => row.edge === edge).map(instanceView);
    return { edge, consumed: sum(instances), instances };
  });
  const { consumed } = session.tokens;
  const fleet = fleetView(ports, look);
  return { consumed, direct: Math.max(0, consumed - sum(edges)), edges, ...(fleet && { fleet }) };
}

/** Tokens, with up to 6 decimals; below 0 it owes. */
interface BucketLevel {
  /** The limit's; a plan's own bucket has the plan's name. */
  readonly name: string;
  readonly capacity: number;
  readonly tokens: number;
  /** Tokens per second. */
  readonly refillRate: number;
}

/** One of the plan's further limits. */
export interface LimitView extends BucketLevel {
  /** As of when the edge last reported its level, ms since the epoch; null: it has not, and the bucket is full. */
  readonly lastRefill: number | null;
}

export interface BucketView extends BucketLevel {
  readonly edge: string;
  readonly instance: string;
  /** As of when the edge last reported its level, ms since the epoch. */
  readonly lastRefill: number;
  /** In the order of their names. */
  readonly limits: readonly LimitView[];
}

export interface SessionBuckets {
  /** Of edges that have reported the session. */
  readonly buckets: readonly BucketView[];
  /** Under a plan of fleet scope, where no edge has buckets of its own. */
  readonly fleet?: FleetView;
}

/**
 * The buckets at each edge that has reported the session, as its instance that reported last had them, refilled to now
 * at the plan's present limits. At every other edge they are full, or where its plan was of fleet scope before, as that left
 * them. Undefined if there is no such session, or none that the caller issued.
 */
export async function showBuckets(
  ports: ShowPorts,
  id: string,
  issuedBy: IssuedBy | null,
): Promise<SessionBuckets | undefined> {
  if (!(await isWithinReach(ports, id, issuedBy))) return undefined;
  const look = await ports.usage.look(id);
  const known = knownOf(look);
  if (known.session === undefined) return undefined;
  const fleet = fleetView(ports, look);
  if (fleet !== undefined) return { buckets: [], fleet };
  const policy = ports.policies.current()?.policy;
  const buckets = bucketsOf(known.session, policy && planById(policy, known.session.plan.id));
  // Those that were merged have a sum, and no level.
  const edges = edgesOf(known.rows.filter((row) => !isFormer(row)));
  return { buckets: edges.flatMap((edge) => bucketsAt(edge, buckets, known, ports.clock)) };
}

function bucketsAt(
  edge: string,
  buckets: BucketsOfPlan,
  { rows, budget, position: { log } }: Known,
  clock: SteadyClock,
): BucketView[] {
  const figures = lastFigures(rows, edge, clock.nowMs());
  const row = rows.find((one) => one.edge === edge && one.figures === figures);
  if (figures === null || row === undefined) return [];
  const known = { edge, buckets, figures, rows, budget, log };
  const levels = knownLimits(known, clock.nowMs());
  const limits = buckets.limits.map((limit): LimitView => {
    const at = levels.get(limit.name);
    return { ...bucketLevel(limit, at, clock), lastRefill: at?.atMs ?? null };
  });
  const own = ownLevel(known);
  const bucket = { edge, instance: row.instance, ...bucketLevel(buckets, own, clock) };
  return [{ ...bucket, lastRefill: own?.atMs ?? figures.atMs, limits }];
}

function bucketLevel(
  limit: BucketLimits & { readonly name: string },
  at: LevelAt | undefined,
  clock: SteadyClock,
): BucketLevel {
  const levelMicro =
    at === undefined ? capacityMicro(limit) : refilledMicro(at.levelMicro, clock.elapsedMs(at.atMs), limit);
  const { name, maxTokens: capacity } = limit;
  return { name, capacity, tokens: levelMicro / MICROTOKENS_PER_TOKEN, refillRate: tokensPerSecond(limit) };
}

function instanceView({ instance, figures }: UsageRow): UsageOfInstance {
  if (figures === null) return { instance, consumed: 0, rev: 0, lastReport: null, lastActivity: null };
  const { consumed, rev, reportedAtMs: lastReport, atMs: lastActivity } = figures;
  return { instance, consumed, rev, lastReport, lastActivity };
}

const edgesOf = (rows: readonly UsageRow[]): string[] => [...new Set(rows.map(({ edge }) => edge))];

const sum = (parts: readonly { readonly consumed: number }[]): number =>
  parts.reduce((total, { consumed }) => total + consumed, 0);
