// The fleet plans of the simulation of leases, as edges and control planes read them: the same plan with other figures, and
// once under scope edge.
import type { PlansOfPolicy } from "../../../../control-plane/src/domain/plan.js";
import { limit } from "../../../host/harness/scenes/limits.js";
import { plan, policy, settings } from "../../../host/harness/scenes/documents.js";

/** What each path takes: its own cost tells which one was let through. */
export const PATHS = {
  "/": { own: 1, search: 0 },
  "/search": { own: 2, search: 3 },
  "/dear": { own: 7, search: 0 },
  "/chat": { own: 5, search: 0 },
  "/ask": { own: 3, search: 4 },
} as const;
/** Where the response says what a request really cost: in which bucket that is settled. */
export const SETTLES: Partial<Record<Path, BucketName>> = { "/chat": "", "/ask": "search" };
export type Path = keyof typeof PATHS;

/** The plan's own bucket, and the further one that some runs have. */
export const BUCKETS = ["", "search"] as const;
export type BucketName = (typeof BUCKETS)[number];

/** Of one bucket: whole tokens, and tokens a second. */
export interface Bucket {
  readonly maxTokens: number;
  readonly tokenRefillRate: number;
}

export interface Variant {
  readonly scope: "fleet" | "edge";
  readonly own: Bucket;
  /** Undefined: the plan has no further limit. */
  readonly search: Bucket | undefined;
  /** Some of its paths reserve, and settle later. */
  readonly settles?: boolean;
}

export const COST_HEADER = "x-cost";
const MAX_AGE_MS = 3_600_000;
const LIFETIME_MS = 36_000_000;
const REPORT_INTERVAL_MS = 1000;

export const bucketOf = (variant: Variant, name: BucketName): Bucket | undefined =>
  name === "" ? variant.own : variant.search;

/** As an edge's settings have it. */
export function settingsOf({ scope, own, search, settles = false }: Variant): string {
  const limits =
    search === undefined ? {} : { limits: [limit("search", search.maxTokens, { ...search, applies: "routes" })] };
  const routes = Object.entries(PATHS)
    .filter(([path]) => path !== "/")
    .map(([path, costs]) => ({
      match: { path },
      cost: costs.own,
      ...(search !== undefined && costs.search > 0 && { limits: { search: costs.search } }),
      ...(settles && settleOf(path as Path, search !== undefined)),
    }));
  const times = { maxAge: MAX_AGE_MS, lifetime: LIFETIME_MS };
  const plans = [plan({ ...own, ...limits, ...times, scope })];
  return settings(policy({ plans, routes, controlPlane: { reportInterval: REPORT_INTERVAL_MS } }));
}

function settleOf(path: Path, hasSearch: boolean): object {
  const limit = SETTLES[path];
  if (limit === undefined || (limit === "search" && !hasSearch)) return {};
  return { settle: { header: COST_HEADER, ...(limit !== "" && { limit }) } };
}

/** As a control plane has it in force. */
export function planesPolicyOf({ scope, own, search }: Variant): PlansOfPolicy {
  const limits = search === undefined ? [] : [{ name: "search", ...search, refill: null, applies: "routes" as const }];
  return {
    plans: [
      {
        ...{ id: 0, name: "default", ...own, refill: null, limits, scope },
        ...{ maxAge: MAX_AGE_MS, lifetime: LIFETIME_MS, tokenBudget: null },
        ...{ maxSessionsPerUser: null, onMaxSessions: "refuse" },
      },
    ],
    controlPlane: { reportInterval: REPORT_INTERVAL_MS },
    sessions: { cleanupInterval: 1000 },
  };
}
