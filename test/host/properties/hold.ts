// Holds what the filter did with a request, and with its response, against the reference.
import type { Policy } from "../../../control-plane/src/domain/policy/policy.js";
import type { Stream } from "../harness/host/stream.js";
import { answerOf, notNone, sorted, type DrivenEdge } from "./driven-edge.js";
import { expectEqual } from "./expect-equal.js";
import type { ServiceAnswer } from "./random/requests.js";
import { plainAnnotations, plainAnswer, plainCounted } from "./reference/answers.js";
import type { Decided } from "./reference/edge.js";
import { plainResponse } from "./reference/limit-headers.js";
import { without, type Pairs } from "./reference/pairs.js";
import { plainSettled } from "./reference/settle.js";
import { plainForwarded } from "./reference/token.js";
import { answerAs } from "./service.js";

/** A request that the service has not answered yet. */
export interface OpenRequest {
  readonly stream: Stream;
  readonly decided: Decided;
}

export interface Requested extends OpenRequest {
  readonly request: Pairs;
}

export function holdDecision(policy: Policy, filter: DrivenEdge, { request, decided, stream }: Requested): void {
  const answer = plainAnswer(policy, decided);
  expectEqual("what the client gets", answerOf(stream), answer && { ...answer, headers: sorted(answer.headers) });
  expectEqual("where the request is", stream.state, decided.passes ? "upstream" : "finished");
  expectEqual("what is counted", filter.counted(), notNone(plainCounted(decided)));
  expectEqual("what access logs are told", Object.fromEntries(stream.properties), plainAnnotations(policy, decided));
  const left = sorted(decided.passes ? forwardedOf(policy, request, decided) : request);
  expectEqual("what the service gets", sorted(stream.requestHeaders.pairs()), left);
  holdLevels(filter, decided);
}

function forwardedOf(policy: Policy, request: Pairs, { session, levels, reserved }: Decided): Pairs {
  const identity = session && levels && { session: session.id, plan: levels.plan.name };
  const forwarded = plainForwarded(policy, request, identity);
  // A compressed answer could not be read.
  const isRead = reserved !== undefined && reserved.route.settle?.json !== null;
  return isRead ? without(forwarded, ["accept-encoding"]) : forwarded;
}

/** @param answer undefined: the client hangs up. @returns how the request was settled, if it was */
export function holdResponse(
  policy: Policy,
  filter: DrivenEdge,
  { stream, decided }: OpenRequest,
  answer: ServiceAnswer | undefined,
): string | undefined {
  const { reserved, limitHeaders } = decided;
  filter.counted();
  if (answer === undefined) stream.abandon();
  else {
    const service = answerAs(stream, answer, reserved?.route.settle ?? null);
    const wanted = plainResponse(policy, service, limitHeaders);
    expectEqual("what the client gets", sorted(stream.responseHeaders?.pairs() ?? []), sorted(wanted));
  }
  const settled = reserved && plainSettled(reserved, answer?.cost, filter.nowUs);
  expectEqual("what is counted", filter.counted(), notNone(settled?.counted ?? {}));
  holdLevels(filter, decided);
  return settled?.outcome;
}

function holdLevels(filter: DrivenEdge, { session, levels }: Decided): void {
  if (session === undefined || levels === undefined) return;
  const held = filter.levels(session.id, levels.buckets.length - 1);
  if (held !== undefined) {
    const wanted = levels.buckets.map(({ levelPico }) => levelPico);
    expectEqual("what the limits hold", held, wanted);
  }
}
