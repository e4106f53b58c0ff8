// Random plans: one to four, each with a bucket of its own and up to seven further limits.
import type { Limit, Plan, Rate } from "../../../../control-plane/src/domain/policy/policy.js";
import type { Random } from "../../harness/host/random.js";
import { randomEnforcement } from "./enforcements.js";

const PLAN_NAMES = ["default", "gold", "trial", "p-4"] as const;
const LIMIT_NAMES = ["a", "a-1", "burst", "daily", "llm", "m", "search", "upload", "z9"] as const;
const TOKENS_A_SECOND = [0, 0, 0.000001, 0.5, 1, 3.141592, 10, 1000, 1_000_000] as const;
const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const MAX_TOKENS = 9_000_000;
const DAY_MS = 86_400_000;

/** How large the buckets of a policy are, about: costs fit into the smallest. */
const SCALES = [1, 3, 12, 12, 12, 400, 2_000_000] as const;

export function randomPlans(random: Random): [Plan, ...Plan[]] {
  const scale = random.pick(SCALES);
  const ids = new Set<number>();
  while (ids.size < 1 + random.below(PLAN_NAMES.length)) ids.add(random.pick([0, 1, 65_535, random.below(65_536)]));
  const [first, ...others] = [...ids].map((id, at) => randomPlan(random, id, PLAN_NAMES[at] ?? "", scale));
  if (first === undefined) throw new Error("a policy has a plan");
  return [first, ...others];
}

function randomPlan(random: Random, id: number, name: string, scale: number): Plan {
  return {
    id,
    name,
    maxTokens: capacity(random, scale),
    ...randomRate(random),
    limits: randomLimits(random, scale),
    maxAge: (4 + random.below(90)) * DAY_MS + random.pick([0, 1, 1500]),
    lifetime: (100 + random.below(900)) * DAY_MS,
    tokenBudget: random.pick([null, null, 1_000_000]),
    scope: "edge",
    maxSessionsPerUser: random.pick([null, 3]),
    onMaxSessions: random.pick(["refuse", "removeOldest"]),
    enforcement: random.chance(0.6) ? null : randomEnforcement(random),
    onUnreachable: random.pick([null, null, "trust", "deny"]),
  };
}

function capacity(random: Random, scale: number): number {
  return Math.min(MAX_TOKENS, scale + random.below(4 * scale));
}

export function randomRate(random: Random): Rate {
  if (random.chance(0.4)) return { tokenRefillRate: random.pick(TOKENS_A_SECOND), refill: null };
  const unit = random.pick(["s", "m", "h", "d"] as const);
  const units = random.pick([1, 1, 1, 2, 5, 7, 1000, 1 + random.below(1000)]);
  const most = Math.min(MAX_TOKENS, 1_000_000 * units * UNIT_SECONDS[unit]);
  const tokens = Math.min(most, random.pick([1, 3, 7, 60, 10_000, 1 + random.below(most)]));
  return { tokenRefillRate: null, refill: `${tokens}/${units}${unit}` };
}

/** In no order. */
function randomLimits(random: Random, scale: number): Limit[] {
  const names = new Set<string>();
  const count = random.pick([0, 1, 1, 2, 3, 5, 7]);
  while (names.size < count) names.add(random.pick(LIMIT_NAMES));
  return [...names].map((name) => ({
    name,
    maxTokens: capacity(random, scale),
    ...randomRate(random),
    applies: random.pick(["always", "routes"]),
  }));
}
