// The policies of the interleavings of settlements, and what a request takes under them: told plainly, beside the filter.
import { createHash } from "node:crypto";
import { plan, policy, type PolicyDocument } from "../scenes/documents.js";

export const PATHS = ["/", "/chat", "/own", "/any", "/events"] as const;
export type Path = (typeof PATHS)[number];

/** A bucket of a plan. */
export interface Bucket {
  readonly name: string;
  readonly maxTokens: number;
  /** So many tokens in so many seconds; 0: none. */
  readonly refill: readonly [tokens: number, seconds: number];
  readonly appliesAlways: boolean;
}

/** Its own bucket comes first, the others in the order of their names. */
export interface PlanOfRun {
  readonly id: number;
  readonly name: string;
  readonly buckets: readonly Bucket[];
}

export interface PolicyOfRun {
  readonly plans: readonly PlanOfRun[];
  readonly document: PolicyDocument;
}

interface RouteOfRun {
  readonly cost: number;
  readonly limits: Readonly<Record<string, number>>;
  /** Which limit is settled; null: the plan's own bucket. Undefined: none. */
  readonly settles?: string | null;
  readonly refundsMissing?: boolean;
  /** Tokens for one of what the response says. */
  readonly times: number;
  readonly source?: Readonly<Record<string, string>>;
}

const BY_HEADER = { header: "x-cost" };
const ROUTES: Readonly<Record<Path, RouteOfRun>> = {
  "/": { cost: 1, limits: {}, times: 1 },
  "/chat": { cost: 1, limits: { llm: 10 }, settles: "llm", times: 1, source: BY_HEADER },
  "/own": { cost: 8, limits: {}, settles: null, refundsMissing: true, times: 0.5, source: BY_HEADER },
  // It reserves from `llm` only under a plan where that applies always.
  "/any": { cost: 3, limits: {}, settles: "llm", times: 1, source: BY_HEADER },
  "/events": {
    cost: 2,
    limits: { llm: 12 },
    settles: "llm",
    refundsMissing: true,
    times: 1,
    source: { json: "/cost" },
  },
};

const own = (name: string, maxTokens: number): Bucket => {
  return { name, maxTokens, refill: [100, 7], appliesAlways: true };
};
const llm = (maxTokens: number, appliesAlways = false): Bucket => {
  return { name: "llm", maxTokens, refill: [50, 3], appliesAlways };
};
const DAILY: Bucket = { name: "daily", maxTokens: 400, refill: [0, 1], appliesAlways: true };
const OTHER: PlanOfRun = { id: 1, name: "other", buckets: [own("other", 80)] };
const WRITER: PlanOfRun = { id: 2, name: "writer", buckets: [own("writer", 100), llm(40, true)] };

/**
 * In the second, `llm` is another limit by its number, the plan's own bucket is smaller, and a plan is gone; in the third
 * the plan has no limit beside its own bucket; in the fourth no plan has, and two plans are gone.
 */
export const POLICIES: readonly PolicyOfRun[] = [
  policyOf([own("default", 120), llm(60)], OTHER, WRITER),
  policyOf([own("default", 60), DAILY, llm(60)], WRITER),
  policyOf([own("default", 120)], OTHER, WRITER),
  policyOf([own("default", 120)]),
];

function policyOf(buckets: readonly Bucket[], ...others: readonly PlanOfRun[]): PolicyOfRun {
  const plans = [{ id: 0, name: "default", buckets }, ...others];
  const hasLimits = plans.some((each) => each.buckets.length > 1);
  const routes = Object.entries(ROUTES).map(([path, route]) => routeDocument(path, route, hasLimits));
  return { plans, document: policy({ plans: plans.map(planDocument), routes, onUnreachable: "deny" }) };
}

function planDocument({ id, name, buckets }: PlanOfRun): PolicyDocument {
  const [first, ...further] = buckets.map((bucket) => ({ maxTokens: bucket.maxTokens, ...rateOf(bucket) }));
  const limits = further.map((limit, index) => {
    const bucket = buckets[index + 1];
    return { name: bucket?.name, applies: bucket?.appliesAlways === true ? "always" : "routes", ...limit };
  });
  return plan({ tokenRefillRate: undefined, id, name, ...first, limits });
}

function rateOf({ refill: [tokens, seconds] }: Bucket): PolicyDocument {
  return tokens === 0 ? { tokenRefillRate: 0 } : { refill: `${tokens}/${seconds}s` };
}

/** A route names no limit that no plan has. */
function routeDocument(path: string, route: RouteOfRun, hasLimits: boolean): PolicyDocument {
  const { cost, limits, settles, refundsMissing, times, source } = route;
  const onMissing = refundsMissing === true ? "refund" : "keep";
  const settle = { limit: settles, times, onMissing, ...source };
  const isSettled = settles === null || (settles !== undefined && hasLimits);
  return { match: { path }, cost, limits: hasLimits ? limits : {}, settle: isSettled ? settle : null };
}

/** What a request takes from each bucket of a plan; undefined: it does not spend from it. */
export function costsOf({ buckets }: PlanOfRun, path: Path): (number | undefined)[] {
  const { cost, limits } = ROUTES[path];
  return buckets.map(({ name, appliesAlways }, index) => {
    if (index === 0) return cost;
    return limits[name] ?? (appliesAlways ? cost : undefined);
  });
}

/** The bucket that a request's response settles, by its number; undefined: none of this plan's. */
export function settledBucket(plan: PlanOfRun, path: Path): number | undefined {
  const name = ROUTES[path].settles;
  if (name === undefined) return undefined;
  if (name === null) return 0;
  const index = plan.buckets.findIndex((bucket) => bucket.name === name);
  return index < 1 || costsOf(plan, path)[index] === undefined ? undefined : index;
}

/** Whether all that a request for this path takes from its plan's own bucket is settled. */
export const settlesOwn = (path: Path): boolean => ROUTES[path].settles === null;

/** What a request has cost in the end, of which `reserved` was taken. */
export function finalCost(path: Path, said: string | undefined, reserved: number): number {
  const { refundsMissing, times } = ROUTES[path];
  if (said === undefined) return refundsMissing === true ? 0 : reserved;
  const cost = Math.ceil(Number(said) * times);
  // It says nothing that a request could have cost.
  return Number(said) < 0 || cost > 0xffffffff ? reserved : cost;
}

/** 8 hex digits that say which further limits an annex has the levels of; "" without any. */
export function tagOf({ id, buckets }: PlanOfRun): string {
  if (buckets.length === 1) return "";
  const names = buckets.slice(1).map(({ name }) => `${String.fromCharCode(name.length)}${name}`);
  const hash = createHash("sha256").update(Buffer.from([id & 255, id >> 8, 0]));
  return hash.update(names.join("")).digest("hex").slice(0, 8);
}
