// Requests for tests of routes: with a path, a host, a method and headers of their own, and what came of them.
import type { HeaderPairs } from "../host/header-map.js";
import type { Stream } from "../host/stream.js";
import type { Edge } from "./edge.js";
import type { Session } from "./tokens.js";

export interface RoutedRequest {
  /** null: it has none, as a CONNECT. */
  readonly path?: string | null;
  readonly host?: string | null;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly session?: Session | string | undefined;
}

export function headersOf(request: RoutedRequest): HeaderPairs {
  const { path = "/", host = "service.test", method = "GET", session, headers = {} } = request;
  const pairs: [string, string][] = [[":method", method]];
  if (path !== null) pairs.push([":path", path]);
  if (host !== null) pairs.push([":authority", host]);
  if (session !== undefined) pairs.push(["x-session-id", typeof session === "string" ? session : session.token]);
  return [...pairs, ...Object.entries(headers)];
}

export function sendRouted(edge: Edge, request: RoutedRequest): Stream {
  return edge.worker(0).request(headersOf(request));
}

/** What a request took from the bucket of a session that has a record. */
export function costOf(edge: Edge, session: Session, request: RoutedRequest): number {
  const before = levelOf(edge, session);
  sendRouted(edge, { ...request, session });
  return before - levelOf(edge, session);
}

/** Whole tokens in the record of a session. */
export function levelOf(edge: Edge, session: Session): number {
  const record = edge.table.record(session.id);
  if (record === undefined) throw new Error("the session has no record");
  return record.levelTokens;
}

/** The requests that were counted, by outcome; those that are not 0. */
export function outcomes(edge: Edge): Record<string, number> {
  edge.flush();
  const { metrics } = edge.host;
  const names = ["allowed", "limited", "missing", "invalid", "unavailable", "exempt"];
  const all = [...names, "shadow_limited", "shadow_missing", "shadow_invalid", "shadow_unavailable"].map(
    (outcome) => [outcome, metrics.sum("sluice_requests_total", `outcome="${outcome}"`)] as const,
  );
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

/** The host calls that the filter makes from now on. */
export function hostCallsOf(edge: Edge): readonly string[] {
  const calls: string[] = [];
  edge.host.hooks.each(
    "before",
    () => true,
    ({ name }) => calls.push(name),
  );
  return calls;
}
