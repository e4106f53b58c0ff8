// What the use cases about usage share: their ports, and what they read out of the policy.
import type { Figures, UsageRow } from "../../domain/stored.js";
import type { Budgets, ReportedSession } from "../../domain/decisions/report-usage.js";
import type { ReportedRow } from "../../domain/decisions/reported-rows.js";
import { planById } from "../../domain/plan.js";
import type { PlansOfPolicy } from "../../domain/plan.js";
import { decideReport } from "../../domain/decisions/report-usage.js";
import type { Session } from "../../domain/session.js";
import type { DroppedRows } from "./dropped-rows.js";
import type { LeasePorts } from "./lease-commits.js";
import type { EdgeRegistry } from "./status/edge-registry.js";
import type { PolicyPublisher } from "../ports/policy-ports.js";
import type { CurrentPolicy } from "../ports/ports.js";
import type { SessionPorts } from "../sessions/sessions.js";
import type { Requests } from "../ports/tracing-ports.js";
import type { Updates } from "../ports/update-ports.js";
import { UsageCommits } from "./usage-commits.js";
import type { Committed } from "./usage-commits.js";
import type { UsageMeter, UsageStore } from "../ports/usage-ports.js";

export interface UsagePorts extends SessionPorts, LeasePorts {
  readonly policies: CurrentPolicy & Pick<PolicyPublisher, "published">;
  readonly usage: UsageStore;
  readonly instances: EdgeRegistry;
  readonly commits: UsageCommits;
  readonly usageMeter: UsageMeter;
  readonly droppedRows: DroppedRows;
}

/** The group commit of all reports, as it stands over a store: budgets by the policy in force, tokens counted. */
export function usageCommits(
  updates: Updates,
  policies: CurrentPolicy,
  meter: UsageMeter,
  droppedRows: DroppedRows,
  requests?: Requests,
): UsageCommits {
  const commit = async (rows: readonly ReportedRow[]): Promise<Committed> => {
    const budgets = budgetsOf(policies.current()?.policy);
    return (await updates.update("report", rows, (found) => decideReport(found, rows, budgets))).answer;
  };
  const onCommit = (committed: Committed): void => {
    for (const reported of committed.values()) noteReported({ policies, usageMeter: meter, droppedRows }, reported);
  };
  return new UsageCommits(commit, onCommit, requests);
}

/** Counts what became of a session by rows about it: once, when they are durable. */
export function noteReported(
  { policies, usageMeter, droppedRows }: Pick<UsagePorts, "usageMeter" | "droppedRows"> & { policies: CurrentPolicy },
  { session, consumed, dropped }: ReportedSession,
): void {
  droppedRows.note(dropped);
  if (session !== undefined && consumed > 0) usageMeter.tokensConsumed(planNameOf(policies, session), consumed);
}

/** The present name of the session's plan. */
export const planNameOf = (policies: CurrentPolicy, session: Session): string =>
  planNameIn(policies.current()?.policy, session);

export const planNameIn = (policy: PlansOfPolicy | undefined, { plan }: Session): string =>
  (policy && planById(policy, plan.id))?.name ?? plan.name;

export function budgetsOf(policy: PlansOfPolicy | undefined): Budgets {
  const budgets = new Map<number, number>();
  for (const { id, tokenBudget } of policy?.plans ?? []) if (tokenBudget !== null) budgets.set(id, tokenBudget);
  return budgets;
}

/**
 * Those of the edge's instance that reported last, null if none did. A report that is stamped ahead of now came before the
 * clock went back.
 */
export function lastFigures(rows: readonly UsageRow[], edge: string, nowMs: number): Figures | null {
  const placeOf = ({ reportedAtMs }: Figures): number => (reportedAtMs > nowMs ? -1 : reportedAtMs);
  return rows
    .filter((row) => row.edge === edge)
    .reduce<Figures | null>((last, { figures }) => {
      if (figures === null) return last;
      return last === null || placeOf(figures) > placeOf(last) ? figures : last;
    }, null);
}
