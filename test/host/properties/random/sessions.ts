// Random sessions of a policy, and what the control plane says of them when it is asked.
import type { Plan, Policy } from "../../../../control-plane/src/domain/policy/policy.js";
import type { Random } from "../../harness/host/random.js";
import type { Session } from "../../harness/scenes/tokens.js";
import type { Told, TokenHolder } from "../reference/edge.js";
import { isShadowed } from "../reference/routes.js";
import { times } from "./routes.js";

const SESSIONS = 4;

export interface SessionsOf {
  readonly policy: Policy;
  /** The control plane answers nobody. */
  readonly isAway: boolean;
  /** Sessions may have spent their budget. */
  readonly isShort: boolean;
  readonly mint: (planId: number) => Session;
}

export function randomSessions(random: Random, { policy, isAway, isShort, mint }: SessionsOf): TokenHolder[] {
  return times(SESSIONS, (): TokenHolder => {
    const { id: planId } = random.pick(policy.plans);
    const session = { ...mintAtEdge(random, policy, () => mint(planId)), planId };
    if (isAway) return { ...session, told: "nothing" };
    if (random.chance(0.1)) return { ...session, told: "ended" };
    // An operator may have moved it to another plan since its token was made.
    const plan = random.chance(0.15) ? random.pick(policy.plans) : policy.plans.find(({ id }) => id === planId);
    return { ...session, told: randomlyTold(random, plan ?? policy.plans[0], isShort) };
  });
}

/** Often one of the last that a shadow of some takes, or of the first that it leaves. */
function mintAtEdge(random: Random, policy: Policy, mint: () => Session): Session {
  const all = [policy, ...policy.plans, ...policy.routes].map(({ enforcement }) => enforcement);
  const percents = all.flatMap((one) => (typeof one === "object" && one !== null ? [one.shadow] : []));
  const percent = percents.length > 0 && random.chance(0.5) ? random.pick(percents) : undefined;
  const isAtEdge = ({ id }: Session, at: number): boolean => isShadowed(id, at + 1) && !isShadowed(id, at - 1);
  let session = mint();
  while (percent !== undefined && !isAtEdge(session, percent)) session = mint();
  return session;
}

function randomlyTold(random: Random, plan: Plan, isShort: boolean): Told {
  const known = plan.limits.filter(() => random.chance(0.7));
  return {
    planId: plan.id,
    budgetSpent: isShort && random.chance(0.3),
    own: randomLevel(random, plan.maxTokens),
    levels: Object.fromEntries(known.map(({ name, maxTokens }) => [name, randomLevel(random, maxTokens)])),
  };
}

/** Microtokens: full, some, hardly any, or a debt. */
function randomLevel(random: Random, maxTokens: number): number {
  const full = maxTokens * 1e6;
  const some = Math.floor(random.fraction() * full);
  return random.pick([full, some, some, Math.min(full, random.below(3_000_000)), -Math.floor(some / 2)]);
}
