// The service behind the filter: it answers a request, and says what that cost where its route looks for it.
import type { Settle } from "../../../control-plane/src/domain/policy/policy.js";
import type { Stream } from "../harness/host/stream.js";
import type { ServiceAnswer } from "./random/requests.js";
import type { Pairs } from "./reference/pairs.js";

const METADATA = "metadata.filter_metadata.my.filter.cost";

/** @returns the headers that it sent */
export function answerAs(stream: Stream, { headers, cost }: ServiceAnswer, settle: Settle | null): Pairs {
  const { json = null, trailer = null, metadata = null } = settle ?? {};
  if (json !== null) return answerJson(stream, headers, cost);
  const said: Pairs = cost === undefined ? [] : [["x-cost", cost]];
  if (trailer !== null) {
    stream.respondWith(headers, [Buffer.from("served")], [["x-other", "1"], ...said]);
    return headers;
  }
  if (metadata !== null) {
    if (cost !== undefined) stream.attributes.set(METADATA, cost);
    stream.respond(headers);
    return headers;
  }
  stream.respond([...headers, ...said]);
  return [...headers, ...said];
}

function answerJson(stream: Stream, headers: Pairs, cost: string | undefined): Pairs {
  const typed: Pairs = [...headers, ["content-type", "application/json"]];
  const value = cost === undefined || /^-?\d/.test(cost) ? cost : JSON.stringify(cost);
  const body = Buffer.from(value === undefined ? '{"usage":null}' : `{"x":[1],"usage":{"total":${value}}}`);
  stream.respondWith(typed, [body.subarray(0, 9), body.subarray(9)]);
  return typed;
}
