// Use case: a backend spends from a session's token budget (docs/decisions/0013-consume-needs-a-budget.md).
import { decideConsumption } from "../../domain/decisions/consume-tokens.js";
import type { ConsumeOutcome } from "../../domain/decisions/consume-tokens.js";
import { liveAt } from "../edges/session-ends.js";
import { budgetsOf, planNameOf } from "../edges/usage.js";
import type { UsagePorts } from "../edges/usage.js";
import { keysKnownSinceMs } from "./sessions.js";

/** A repeated key is known for at least a day. */
export const CONSUMPTION_KEPT_MS = 86_400_000;

/**
 * All `count` tokens or none. Edges get an invalidation once the budget is spent. Undefined while no policy is loaded: then
 * nobody knows the budget. Spending here is no activity: only admitted requests are.
 */
export async function consumeTokens(
  ports: UsagePorts,
  sessionId: string,
  count: number,
  key: string | null,
): Promise<ConsumeOutcome | undefined> {
  const policy = ports.policies.current()?.policy;
  if (policy === undefined) return undefined;
  const atMs = ports.clock.nowMs();
  const consumption = {
    ...{ count, key, keptSinceMs: keysKnownSinceMs(ports.clock, CONSUMPTION_KEPT_MS), atMs },
    ...{ budgets: budgetsOf(policy), isLive: liveAt(ports.policies, atMs) },
  };
  const { answer: outcome } = await ports.store.update("consumption", { sessionId, key }, (state) =>
    decideConsumption(state, consumption),
  );
  if (outcome.outcome === "consumed") {
    ports.usageMeter.tokensConsumed(planNameOf(ports.policies, outcome.session), count);
  }
  return outcome;
}
