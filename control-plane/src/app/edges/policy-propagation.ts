// How long a policy takes: from its decision to each worker's first report that it runs it.
import type { PolicyPublisher } from "../ports/policy-ports.js";
import type { WorkerReport } from "../ports/edge-ports.js";

export interface PolicyPropagationParts {
  readonly policies: Pick<PolicyPublisher, "published">;
  readonly propagated: (ms: number) => void;
}

/** Of workers that were there at the decision: a later one found the policy in force. */
export function policyPropagation({ policies, propagated }: PolicyPropagationParts): (report: WorkerReport) => void {
  return ({ edge, knownSinceMs, arrivedAtMs, ranBefore, runs }) => {
    const policy = policies.published(edge);
    if (policy === undefined || policy.decidedAtMs === null || knownSinceMs >= policy.decidedAtMs) return;
    const isIt = runs?.generation === policy.generation && runs.hash === policy.hash;
    if (isIt && ranBefore?.generation !== policy.generation) propagated(arrivedAtMs - policy.decidedAtMs);
  };
}
