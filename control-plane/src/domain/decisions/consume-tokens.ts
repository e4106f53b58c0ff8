// Decides on tokens that a backend takes from a session's budget: all of them or none, once a key.
import type { Session } from "../session.js";
import { unchanged } from "../changes.js";
import type { Decision } from "../changes.js";
import type { BudgetState, ConsumptionKey } from "../stored.js";
import { spend } from "./report-usage.js";
import type { Budgets } from "./report-usage.js";

export interface Consumption {
  readonly count: number;
  /** The client's `Idempotency-Key`, as its credential's own; null for none. */
  readonly key: string | null;
  /** A key that is older counts as new. */
  readonly keptSinceMs: number;
  readonly atMs: number;
  readonly budgets: Budgets;
  readonly isLive: (session: Session) => boolean;
}

export interface ConsumptionState {
  readonly session: Session | undefined;
  /** What the key did. */
  readonly earlier: ConsumptionKey | undefined;
}

export type ConsumeOutcome =
  /** `repeated`: the key has done it before; the figures are those of then. */
  | ({ readonly outcome: "consumed" | "repeated"; readonly session: Session } & BudgetState)
  /** Nothing is taken. */
  | ({ readonly outcome: "overBudget" } & BudgetState)
  | { readonly outcome: "unknown" | "ended" | "noBudget" | "keyReused" };

export function decideConsumption(
  { session, earlier }: ConsumptionState,
  { count, key, keptSinceMs, atMs, budgets, isLive }: Consumption,
): Decision<ConsumeOutcome> {
  if (session === undefined) return unchanged({ outcome: "unknown" });
  if (earlier !== undefined && earlier.atMs >= keptSinceMs) {
    if (earlier.count !== count) return unchanged({ outcome: "keyReused" });
    return unchanged({ outcome: "repeated", session, budget: earlier.budget, consumed: earlier.consumed });
  }
  if (!isLive(session)) return unchanged({ outcome: "ended" });
  const budget = budgets.get(session.plan.id);
  if (budget === undefined) return unchanged({ outcome: "noBudget" });
  const before = session.tokens.consumed;
  if (before + count > budget) return unchanged({ outcome: "overBudget", budget, consumed: before });

  const spent = spend(session, count, budgets, atMs);
  const { consumed } = spent.session.tokens;
  const changes = { sessions: [{ before: session, after: spent.session }], invalidations: spent.invalidations };
  const answer = { outcome: "consumed", session: spent.session, budget, consumed } as const;
  if (key === null) return { answer, changes };
  const consumptionKey = { key, sessionId: session.id, count, budget, consumed, atMs };
  return { answer, changes: { ...changes, consumptionKey } };
}
