// The worked examples of docs/policy.md as policies in force: their YAML is taken from the page.
import { readPolicyDocument } from "../../../../control-plane/src/domain/policy/read-policy.js";
import type { Policy } from "../../../../control-plane/src/domain/policy/policy.js";
import { sectionOf } from "../../../unit/docs.js";
import { filterModule } from "../builds/filter-modules.js";
import type { Stream } from "../host/stream.js";
import { liveAnswer } from "./documents.js";
import type { Edge } from "./edge.js";
import { edgeFollowing, newestWatch, offer } from "./policy-offer.js";
import { headersOf, type RoutedRequest } from "./routed-requests.js";
import type { Session } from "./tokens.js";

/** A worked example, and an edge on which it is in force. */
export interface Example {
  readonly edge: Edge;
  readonly policy: Policy;
}

export function yamlOf(title: string): string {
  const [, yaml] = /```yaml\n(.*?)```/s.exec(sectionOf("docs/policy.md", `Worked example: ${title}`)) ?? [];
  if (yaml === undefined) throw new Error(`docs/policy.md has no YAML under "${title}"`);
  return yaml;
}

function policyOf(yaml: string): { readonly policy: Policy; readonly policyJson: string } {
  const result = readPolicyDocument(Buffer.from(yaml));
  if ("violations" in result)
    throw new Error(result.violations.map(({ path, message }) => `${path}: ${message}`).join());
  return result;
}

export function exampleInForce(title: string): Example {
  const { policy, policyJson } = policyOf(yamlOf(title));
  const edge = edgeFollowing(JSON.parse(policyJson) as Record<string, unknown>, 1, { module: filterModule("settle") });
  return { edge, policy };
}

/** The next policy, as the control plane publishes it. */
export function publish(edge: Edge, yaml: string, generation: number): void {
  offer(newestWatch(edge), policyOf(yaml).policyJson, { generation });
  edge.passMs(1000);
}

/**
 * A request whose answer the test gives. The control plane knows each session, which has this many tokens in its plan's own
 * bucket where the edge has to ask: by default all that its plan gives.
 */
export function opened({ edge, policy }: Example, request: RoutedRequest, planId = 0, tokens?: number): Stream {
  const stream = edge.worker(0).open(headersOf(request));
  if (!stream.paused) return stream;
  const full = policy.plans.find(({ id }) => id === planId)?.maxTokens ?? NaN;
  edge.callout.answer(200, liveAnswer({ plan: planId, tokens: tokens ?? full }));
  return stream;
}

/** The status that a client gets. */
export function statusOf(example: Example, request: RoutedRequest, planId = 0): number | undefined {
  const stream = opened(example, request, planId);
  if (stream.state === "upstream") stream.respond();
  return stream.status;
}

/** How many of n such requests get 200. */
export function passes(example: Example, requests: number, request: RoutedRequest, planId = 0): number {
  return Array.from({ length: requests }, () => statusOf(example, request, planId)).filter((one) => one === 200).length;
}

/** Whole tokens of the session's further limit. */
export function leftIn({ edge, policy }: Example, session: Session, name: string, planId = 0): number | undefined {
  const limits = policy.plans.find(({ id }) => id === planId)?.limits ?? [];
  const index = limits
    .map((limit) => limit.name)
    .sort()
    .indexOf(name);
  return edge.table.record(session.id)?.annex?.levelsTokens[index];
}
