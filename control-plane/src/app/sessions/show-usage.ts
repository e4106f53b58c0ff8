// Use cases: what a session spent where, and what its buckets hold.
import type { IssuedBy } from "../../domain/issued-by.js";
import type { UsageRow } from "../../domain/stored.js";
import { MICROTOKENS_PER_TOKEN } from "../../../../assembly/contract.js";
import { isFormer } from "../../domain/former-rows.js";
import { capacityMicro, refilledMicro } from "../../domain/level.js";
import type { BucketLimits } from "../../domain/level.js";
import type { LevelAt } from "../../domain/limit-levels.js";
import { planById } from "../../domain/plan.js";
import { tokensPerSecond } from "../../domain/policy/rate.js";
import { bucketsOf, knownLimits } from "../edges/levels.js";
import { lastFigures } from "../edges/usage.js";
import type { UsagePorts } from "../edges/usage.js";
import type { SteadyClock } from "../ports/ports.js";
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
}

/** Undefined if there is no such session, or none that the caller issued. */
export async function showUsage(
  ports: Pick<UsagePorts, "store" | "operator" | "usage">,
  id: string,
  issuedBy: IssuedBy | null,
): Promise<SessionUsage | undefined> {
  if (!(await isWithinReach(ports, id, issuedBy))) return undefined;
  const { store, usage } = ports;
  const rows = await usage.rowsOf(id);
  const session = await store.find(id);
  if (session === undefined) return undefined;
  const edges = edgesOf(rows).map((edge): UsageOfEdge => {
    const instances = rows.filter((row) => row.edge === edge).map(instanceView);
    return { edge, consumed: sum(instances), instances };
  });
  const { consumed } = session.tokens;
  return { consumed, direct: Math.max(0, consumed - sum(edges)), edges };
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

/**
 * The buckets at each edge that has reported the session, as its instance that reported last had them, refilled to now
 * at the plan's present limits. At every other edge they are full. Undefined if there is no such session, or none that the
 * caller issued.
 */
export async function showBuckets(
  ports: Pick<UsagePorts, "store" | "operator" | "usage" | "policies" | "clock">,
  id: string,
  issuedBy: IssuedBy | null,
): Promise<readonly BucketView[] | undefined> {
  if (!(await isWithinReach(ports, id, issuedBy))) return undefined;
  const { store, usage, policies, clock } = ports;
  const session = await store.find(id);
  if (session === undefined) return undefined;
  const rows = await usage.rowsOf(id);
  const policy = policies.current()?.policy;
  const buckets = bucketsOf(session, policy && planById(policy, session.plan.id));
  // Those that were merged have a sum, and no level.
  return edgesOf(rows.filter((row) => !isFormer(row))).flatMap((edge): BucketView[] => {
    const figures = lastFigures(rows, edge, clock.nowMs());
    const row = rows.find((one) => one.edge === edge && one.figures === figures);
    if (figures === null || row === undefined) return [];
    const known = knownLimits({ edge, buckets, figures, rows }, clock.nowMs());
    const limits = buckets.limits.map((limit): LimitView => {
      const at = known.get(limit.name);
      return { ...bucketLevel(limit, at, clock), lastRefill: at?.atMs ?? null };
    });
    const own = { edge, instance: row.instance, ...bucketLevel(buckets, figures, clock) };
    return [{ ...own, lastRefill: figures.atMs, limits }];
  });
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
