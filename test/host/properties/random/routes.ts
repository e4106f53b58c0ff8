// Random routes: what they match, what they cost, and what of that their responses settle.
import type { Plan, Route, RouteMatch, Settle } from "../../../../control-plane/src/domain/policy/policy.js";
import type { Random } from "../../harness/host/random.js";
import { randomEnforcement } from "./enforcements.js";

export const SEGMENTS = ["a", "b", "A", "", ".", "..", "%2F", "..;x", "..%20", "%25", "%3b", "%41", "c\\d"] as const;
const HOSTS = ["a.test", "*.a.test", "b.test"] as const;
const HEADERS = [
  { name: "x-a", value: null },
  { name: "x-a", value: "1" },
  { name: "x-b", value: "two words" },
] as const;

export function randomRoutes(random: Random, plans: readonly Plan[], settles: boolean): Route[] {
  return times(random.pick([0, 1, 3, 8]), () => randomRoute(random, plans, settles));
}

export function randomPath(random: Random): string {
  return `/${times(1 + random.below(3), () => (random.chance(0.6) ? random.pick(["a", "b"]) : random.pick(SEGMENTS))).join("/")}`;
}

function randomRoute(random: Random, plans: readonly Plan[], settles: boolean): Route {
  const match = randomMatch(random);
  const nothing = { cost: null, exempt: true, enforcement: null, limits: {}, settle: null };
  if (random.chance(0.15)) return { match, ...nothing };
  const cost = random.chance(0.4) ? 1 : random.below(1 + leastOf(plans.flatMap(bucketsOf)));
  const limits = randomCosts(random, plans);
  return {
    match,
    cost,
    exempt: false,
    enforcement: random.chance(0.7) ? null : randomEnforcement(random),
    limits,
    settle: settles && random.chance(0.8) ? randomSettle(random, plans, Object.keys(limits)) : null,
  };
}

function randomMatch(random: Random): RouteMatch {
  const where = random.pick(["path", "prefix", "prefix", "template", null]);
  const match = {
    path: where === "path" ? randomPath(random) : null,
    prefix: where === "prefix" ? randomPath(random) : null,
    template: where === "template" ? randomTemplate(random) : null,
    methods: random.chance(0.25) ? some(random, ["GET", "POST"]) : null,
    hosts: random.chance(0.25) ? some(random, HOSTS) : null,
    headers: random.chance(0.25) ? [random.pick(HEADERS)] : null,
  };
  return Object.values(match).some((one) => one !== null) ? match : { ...match, prefix: "/" };
}

function randomTemplate(random: Random): string {
  const parts = times(1 + random.below(3), (at) => random.pick(["a", "b", `{p${at}}`]));
  return `/${parts.join("/")}${random.chance(0.3) ? "/{r*}" : ""}`;
}

/** By name: of limits that a plan has. */
function randomCosts(random: Random, plans: readonly Plan[]): Record<string, number | null> {
  const all = plans.flatMap(({ limits }) => limits);
  const costs = new Map<string, number | null>();
  for (let n = random.pick([0, 0, 1, 2, 4]); n > 0 && all.length > 0; n--) {
    const { name } = random.pick(all);
    const most = leastOf(all.filter((limit) => limit.name === name));
    costs.set(name, random.chance(0.3) ? null : random.below(1 + Math.min(most, random.pick([1, most]))));
  }
  return Object.fromEntries(costs);
}

function randomSettle(random: Random, plans: readonly Plan[], named: readonly string[]): Settle {
  const always = plans.flatMap(({ limits }) => limits.filter(({ applies }) => applies === "always"));
  const source = random.pick(["header", "header", "trailer", "metadata", "json"]);
  return {
    limit: random.pick([null, ...named, ...always.map(({ name }) => name)]),
    header: source === "header" ? "x-cost" : null,
    trailer: source === "trailer" ? "x-cost" : null,
    metadata: source === "metadata" ? ["my.filter", "cost"] : null,
    json: source === "json" ? "/usage/total" : null,
    times: random.pick([1, 1, 0.25, 0.001, 2.5, 1_000_000]),
    onMissing: random.pick(["keep", "refund"]),
  };
}

const bucketsOf = (plan: Plan): readonly { readonly maxTokens: number }[] => [plan, ...plan.limits];

function leastOf(buckets: readonly { readonly maxTokens: number }[]): number {
  return Math.min(...buckets.map(({ maxTokens }) => maxTokens));
}

export function some<T>(random: Random, items: readonly T[]): T[] {
  const chosen = items.filter(() => random.chance(0.5));
  return chosen.length > 0 ? chosen : [random.pick(items)];
}

export function times<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}
