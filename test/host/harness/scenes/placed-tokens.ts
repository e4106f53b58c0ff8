// Requests whose token stands where a policy looks for it, and what the service gets of them.
import type { HeaderPairs } from "../host/header-map.js";
import type { Stream } from "../host/stream.js";
import { plan, policy, type PolicyDocument } from "./documents.js";
import { Edge, type EdgeOptions } from "./edge.js";
import type { Session } from "./tokens.js";

export const HEADER = { header: "x-session-id" };
export const BEARER = { authorization: "Bearer" };
export const COOKIE = { cookie: "sid" };

const PSEUDO: HeaderPairs = [
  [":method", "GET"],
  [":path", "/"],
  [":authority", "service.test"],
];

/** An edge whose policy looks for tokens there. */
export function edgeLookingAt(from: readonly object[], rest: PolicyDocument = {}, options: EdgeOptions = {}): Edge {
  const { token = {}, ...others } = rest;
  return new Edge({
    policy: policy({ plans: [plan({ maxTokens: 1000 })], ...others, token: { from, ...(token as object) } }),
    ...options,
  });
}

/** A session that the edge knows, whatever its policy looks at. */
export function knownSession(edge: Edge, from: object, tokens = 900): Session {
  const session = edge.newSession();
  const stream = sendLines(edge, linesOf(from, session.token));
  edge.answerLive({ tokens: tokens + 1 });
  if (stream.status !== 200) throw new Error(`the session was not admitted: ${stream.status ?? "it waits"}`);
  return session;
}

/** The header line that has a token in this place. */
export function linesOf(place: object, token: string): HeaderPairs {
  if ("cookie" in place) return [["cookie", `${String(place.cookie)}=${token}`]];
  if ("header" in place) return [[String(place.header), token]];
  return [["authorization", `Bearer ${token}`]];
}

/** All of a request, with these header lines. */
export function requestLines(lines: HeaderPairs): HeaderPairs {
  return [...PSEUDO, ...lines];
}

export function sendLines(edge: Edge, lines: HeaderPairs): Stream {
  return edge.worker(0).request(requestLines(lines));
}

/** The header lines of a request as the service gets them, those that every request has left out. */
export function receivedOf(stream: Stream): HeaderPairs {
  if (!stream.reachedUpstream) throw new Error(`the service got nothing: ${stream.status ?? "it waits"}`);
  return stream.requestHeaders.pairs().slice(PSEUDO.length);
}
