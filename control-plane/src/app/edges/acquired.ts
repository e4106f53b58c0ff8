// What an edge is answered about a session, by what is known of it.
import { UNKNOWN_REMEMBERED_MS } from "../../../../assembly/contract.js";
import type { LeasedSession } from "../../domain/decisions/lease-tokens.js";
import type { LeaseAnswer } from "../../domain/leases/lease-ask.js";
import { planById } from "../../domain/plan.js";
import type { PlanOfPolicy, PlansOfPolicy } from "../../domain/plan.js";
import { sessionState } from "../../domain/session.js";
import { isSameInstance } from "../../domain/stored.js";
import type { Instance, LogPosition } from "../../domain/stored.js";
import type { SteadyClock } from "../ports/ports.js";
import { bucketsOf, levelsNow } from "./levels.js";
import type { HeldOrSeen } from "./of-one-log.js";
import { endForEdgesMs } from "./session-ends.js";
import { lastFigures } from "./usage.js";

export interface LiveAnswer extends LogPosition {
  readonly state: "live";
  /** Plan id. The filter answers 503 for one that its policy lacks. */
  readonly plan: number;
  readonly endsInMs: number;
  /** Microtokens in the bucket now, rounded down; below 0 it owes. */
  readonly level: number;
  /** The same of further limits, by name: each that a figure is known of. All others are full. */
  readonly levels?: Readonly<Record<string, number>>;
  /** Tokens spent at this instance, as far as it has reported. */
  readonly consumed: number;
  readonly rev: number;
  readonly budgetSpent: boolean;
  /** Under a plan of fleet scope, where the edge asked for it. */
  readonly lease?: LeaseAnswer;
}

export interface EndedAnswer extends LogPosition {
  readonly state: "revoked" | "expired" | "unknown";
  /** How long the edge may hold on to that. */
  readonly endsInMs: number;
  /** As of a live one: an edge that admitted the session unverified adds its own figures to these. */
  readonly consumed: number;
  readonly rev: number;
}

/** It is live as far as is known, and cannot be held: the store takes no writes, or others wrote it first each time. */
export interface UnavailableAnswer extends LogPosition {
  readonly state: "unavailable";
}

/** With the generation that the edge is offered: a worker on a lower one waits for it where it does not know the plan. */
export type Acquired = (LiveAnswer | EndedAnswer | UnavailableAnswer) & { readonly generation: number };

export function answerAbout(
  { session, rows, position, budget, leased }: HeldOrSeen,
  asker: Instance,
  policy: PlansOfPolicy,
  clock: SteadyClock,
): LiveAnswer | EndedAnswer {
  if (session === undefined) {
    return { state: "unknown", endsInMs: UNKNOWN_REMEMBERED_MS, consumed: 0, rev: 0, ...position };
  }
  const nowMs = clock.nowMs();
  const plan = planById(policy, session.plan.id);
  const endsAtMs = endForEdgesMs(session, plan, clock);
  const endsInMs = Math.max(0, endsAtMs - nowMs);
  const state = sessionState(session, endsAtMs, nowMs);
  const { figures: own } = rows.find((row) => isSameInstance(row, asker)) ?? { figures: null };
  const { consumed, rev } = own ?? { consumed: 0, rev: 0 };
  if (state !== "live") return { state, endsInMs, consumed, rev, ...position };
  const figures = own ?? lastFigures(rows, asker.edge, nowMs);
  const known = { edge: asker.edge, buckets: bucketsOf(session, plan), figures, rows, budget, log: position.log };
  const levels = plan?.scope === "fleet" ? ofLease(plan, leased) : levelsNow(known, clock);
  const budgetSpent = typeof plan?.tokenBudget === "number" && session.tokens.consumed >= plan.tokenBudget;
  return { state, plan: session.plan.id, endsInMs, ...levels, consumed, rev, budgetSpent, ...position };
}

/** Under a plan of fleet scope an edge has what it has a lease of, and nothing of its own. */
function ofLease(
  { id }: PlanOfPolicy,
  leased: LeasedSession | undefined,
): { readonly level: 0; readonly lease?: LeaseAnswer } {
  const lease = leased?.leased[0]?.answer;
  // Under another plan than it has by now, it was leased other buckets: that ends by itself.
  return lease === undefined || leased?.budget?.planId !== id ? { level: 0 } : { level: 0, lease };
}
