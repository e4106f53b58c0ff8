// The further limits that plans of the simulation have, and the routes that spend from them: three sets, which the policies
// of a run go through in turn, so that limits go and come back, stand in another order, and get other rates.
import type { Limit, Rate } from "../../../control-plane/src/domain/policy/policy.js";

export const PATHS = ["/", "/search", "/bulk"] as const;
export type Path = (typeof PATHS)[number];

/** As a document writes them. */
export interface RouteDocument {
  readonly match: { readonly path: Path };
  readonly limits: Readonly<Record<string, number | null>>;
}

/** What each path costs where a limit is named; null is what the request costs. */
const COSTS: Readonly<Record<Path, Readonly<Record<string, number | null>>>> = {
  "/": {},
  "/search": { search: 2 },
  "/bulk": { daily: 3, search: null },
};
/** Of the own bucket, by any route. */
export const COST = 1;

const NEVER: Rate = { tokenRefillRate: 0, refill: null };
const slowly = (refill: string): Rate => ({ tokenRefillRate: null, refill });

/** Daily holds what three of the dearest requests cost, or more; search two. */
const daily = (base: number, times: number, rate: Rate): Limit => ({
  ...{ name: "daily", maxTokens: Math.max(3, Math.floor(base * times)), ...rate, applies: "always" },
});
const search = (base: number, times: number, rate: Rate, applies: Limit["applies"]): Limit => ({
  ...{ name: "search", maxTokens: Math.max(2, Math.floor(base * times)), ...rate, applies },
});

/** By set, the limits of both plans in the order in which the document has them. */
const SETS: readonly ((base: number) => readonly [readonly Limit[], readonly Limit[]])[] = [
  (base) => [[search(base, 0.5, NEVER, "routes"), daily(base, 1, NEVER)], [daily(base, 1, slowly("1/7s"))]],
  (base) => [[search(base, 1, slowly("1/9s"), "routes")], []],
  (base) => [[daily(base, 1.5, slowly("2/11s")), search(base, 1, NEVER, "always")], [daily(base, 1.5, NEVER)]],
];

export function limitsOfPlan(set: number, plan: number, base: number): readonly Limit[] {
  return SETS[set % SETS.length]?.(base)[plan] ?? [];
}

/** A route may name only what a plan has. */
export function routesFor(limits: readonly Limit[]): readonly RouteDocument[] {
  const names = new Set(limits.map(({ name }) => name));
  return PATHS.filter((path) => path !== "/").map((path) => ({
    match: { path },
    limits: Object.fromEntries(Object.entries(COSTS[path]).filter(([name]) => names.has(name))),
  }));
}

/** What a request of a path takes from a limit; undefined: nothing is spent from it. */
export function costOf(path: Path, { name, applies }: Limit): number | undefined {
  const named = COSTS[path][name];
  if (named !== undefined) return named ?? COST;
  return applies === "always" ? COST : undefined;
}

/** As a document writes it: exactly one of the two rates. */
export function documentOf({ tokenRefillRate, refill, ...rest }: Limit): Readonly<Record<string, unknown>> {
  return refill === null ? { ...rest, tokenRefillRate } : { ...rest, refill };
}
