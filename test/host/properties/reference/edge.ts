// One Envoy, as plainly as it can be written: what becomes of each request under one policy (docs/policy.md).
import type { Policy, Route } from "../../../../control-plane/src/domain/policy/policy.js";
import { plainLimitHeaders } from "./limit-headers.js";
import { PlainLevels, refusingOf, tightestOf, type Charge } from "./limits.js";
import type { Pairs } from "./pairs.js";
import { isOffForAll, passesDenied, plainEnforcement, plainRouteOf } from "./routes.js";
import { plainTokenOf } from "./token.js";

/** A genuine token, and what the control plane says of its session when it is asked. */
export interface TokenHolder {
  readonly token: string;
  readonly id: string;
  /** Of the token. */
  readonly planId: number;
  readonly told: Told | "ended" | "nothing";
}

export interface Told {
  readonly planId: number;
  readonly budgetSpent: boolean;
  /** Microtokens of the plan's own bucket. */
  readonly own: number;
  /** The same of the further ones by name; what is not there is full. */
  readonly levels: Readonly<Record<string, number>>;
}

export type Denial = "limited" | "budget" | "missing" | "invalid" | "unavailable";

export interface Reservation {
  readonly levels: PlainLevels;
  readonly route: Route;
  readonly charge: Charge;
}

export interface Decided {
  readonly outcome: "allowed" | "exempt" | "off" | Denial;
  /** It goes on to the service. */
  readonly passes: boolean;
  readonly session?: TokenHolder;
  readonly levels?: PlainLevels;
  /** Which limit denied it. */
  readonly limit?: string;
  readonly limitHeaders: Pairs;
  readonly retryAfter?: number | undefined;
  readonly cost?: number;
  readonly reserved?: Reservation | undefined;
}

interface Known {
  readonly levels: PlainLevels;
  readonly budgetSpent: boolean;
}

const OFF: Decided = { outcome: "off", passes: true, limitHeaders: [] };

export class PlainEdge {
  readonly #holders: ReadonlyMap<string, TokenHolder>;
  readonly #known = new Map<string, Known | "ended">();

  constructor(
    private readonly policy: Policy,
    holders: readonly TokenHolder[],
  ) {
    this.#holders = new Map(holders.map((holder) => [holder.token, holder]));
  }

  decide(request: Pairs, nowUs: bigint): Decided {
    const { policy } = this;
    if (isOffForAll(policy)) return OFF;
    const route = plainRouteOf(policy, request);
    if (route?.exempt === true) return { outcome: "exempt", passes: true, limitHeaders: [] };
    if (route?.enforcement === "off") return OFF;
    const token = plainTokenOf(policy, request);
    if (token === undefined) return this.#denied("missing", route);
    const holder = this.#holders.get(token);
    if (holder === undefined) return this.#denied("invalid", route);
    const known = this.#lookUp(holder, nowUs);
    if (known === "unavailable") return this.#denied("unavailable", route, holder.planId);
    if (known === "ended") return this.#denied("invalid", route);
    if (plainEnforcement(policy, route, known.levels.plan.id) === "off") return OFF;
    known.levels.passUntil(nowUs);
    return this.#spend(holder, known, route);
  }

  #denied(outcome: Denial, route: Route | undefined, planId?: number): Decided {
    const enforcement = plainEnforcement(this.policy, route, planId);
    if (enforcement === "off") return OFF;
    return { outcome, passes: enforcement === "observe", limitHeaders: [] };
  }

  #lookUp(holder: TokenHolder, nowUs: bigint): Known | "ended" | "unavailable" {
    const { onMiss, onUnreachable, plans } = this.policy;
    const known = this.#known.get(holder.id);
    if (known !== undefined) return known;
    const { told } = holder;
    const asks = onMiss === "acquire";
    const planOf = (id: number) => plans.find((plan) => plan.id === id) ?? plans[0];
    if (asks && told === "nothing" && (planOf(holder.planId).onUnreachable ?? onUnreachable) === "deny")
      return "unavailable";
    const found = ((): Known | "ended" => {
      if (asks && told === "ended") return "ended";
      // The token is enough: its session begins with all that its plan has.
      if (!asks || typeof told !== "object")
        return { levels: new PlainLevels(planOf(holder.planId), nowUs), budgetSpent: false };
      return { levels: new PlainLevels(planOf(told.planId), nowUs, told), budgetSpent: told.budgetSpent };
    })();
    this.#known.set(holder.id, found);
    return found;
  }

  #spend(session: TokenHolder, { levels, budgetSpent }: Known, route: Route | undefined): Decided {
    const charges = levels.chargesOf(route);
    const [own] = charges;
    if (own === undefined) throw new Error("a plan has a bucket of its own");
    const said = (tightest: Charge): Pairs => plainLimitHeaders(this.policy, charges, tightest.bucket);
    const enforcement = plainEnforcement(this.policy, route, levels.plan.id);
    const passes = passesDenied(enforcement, session.id);
    const denied = { passes, session, levels };
    if (budgetSpent && own.cost > 0) {
      return { ...denied, outcome: "budget", limitHeaders: said(own) };
    }
    const refusing = refusingOf(charges);
    if (refusing !== undefined) {
      const { bucket, cost } = refusing;
      const seconds = bucket.secondsUntil(cost);
      const retryAfter = seconds === undefined ? undefined : Math.max(1, seconds);
      return { ...denied, outcome: "limited", limit: bucket.name, limitHeaders: said(refusing), retryAfter };
    }
    for (const { bucket, cost } of charges) bucket.take(cost);
    const limitHeaders = said(tightestOf(charges) ?? own);
    const reserved = reservationOf(levels, route, charges);
    return { outcome: "allowed", passes: true, session, levels, limitHeaders, cost: own.cost, reserved };
  }
}

/** None where the session's plan lacks the limit. */
function reservationOf(
  levels: PlainLevels,
  route: Route | undefined,
  charges: readonly Charge[],
): Reservation | undefined {
  if (route === undefined || route.settle === null) return undefined;
  const name = route.settle.limit ?? levels.plan.name;
  const charge = charges.find(({ bucket }) => bucket.name === name);
  return charge && { levels, route, charge };
}
