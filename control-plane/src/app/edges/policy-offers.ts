// What an edge is offered on its watch: the policy that it has not received yet.
import type { PolicyPublisher } from "../ports/policy-ports.js";
import type { PolicyOffer, WatchRequest } from "../ports/watch-ports.js";

/** At 8 workers an edge, 2,000 reports a second: about what as many edges send anyway with an interval of 5 s. */
const SPREAD_PER_EDGE_MS = 4;

export interface OfferParts {
  readonly policies: Pick<PolicyPublisher, "published">;
  /** How many instances there are. */
  readonly instances: { count(): number };
}

/** Undefined where there is nothing to offer: nothing newer, or an edge that takes none. */
export function offerFor(
  { policies, instances }: OfferParts,
  watch: WatchRequest,
  log: string,
): PolicyOffer | undefined {
  if (!watch.follow || watch.filter === undefined) return undefined;
  const policy = policies.published(watch.edge);
  const received = watch.policy;
  if (policy === undefined) return undefined;
  if (received?.log === log && received.generation >= policy.generation) return undefined;
  const { reportInterval } = policy.policy.controlPlane;
  const reportSpreadMs = Math.min(reportInterval, instances.count() * SPREAD_PER_EDGE_MS);
  return { log, policy, reportSpreadMs };
}
