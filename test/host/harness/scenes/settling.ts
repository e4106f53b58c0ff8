// Requests whose response says what they really cost, for tests of the build that settles.
import { filterModule } from "../builds/filter-modules.js";
import type { Stream } from "../host/stream.js";
import { plan, policy, type PolicyDocument } from "./documents.js";
import { Edge, type EdgeOptions } from "./edge.js";
import { leftOf, limit } from "./limits.js";
import { headersOf } from "./routed-requests.js";
import type { Session } from "./tokens.js";

/** A response's head. */
export const OK = { ":status": "200" };
/** A source of settlements: this header of the response. */
export const BY_HEADER = { header: "x-cost" };
/** The property with what another filter wrote as `my.filter`, `cost`. */
export const METADATA = "metadata.filter_metadata.my.filter.cost";

let module: WebAssembly.Module | undefined;

/** A further limit `llm` of 100 tokens, of which a request for /chat reserves 40. Nothing refills. */
export function settling(settle: PolicyDocument, overrides: PolicyDocument = {}): PolicyDocument {
  const llm = limit("llm", 100, { applies: "routes" });
  const chat = { match: { prefix: "/chat" }, limits: { llm: 40 }, settle: { limit: "llm", ...settle } };
  return policy({ plans: [plan({ maxTokens: 1000, limits: [llm] })], routes: [chat], ...overrides });
}

/** The same from the plan's own bucket, of 100 tokens. */
export function settlingOwn(settle: PolicyDocument, overrides: PolicyDocument = {}): PolicyDocument {
  const chat = { match: { prefix: "/chat" }, cost: 40, settle };
  return policy({ plans: [plan({ maxTokens: 100 })], routes: [chat], ...overrides });
}

export function settlingEdge(document: PolicyDocument, options: EdgeOptions = {}): Edge {
  module ??= filterModule("settle");
  return new Edge({ module, policy: document, ...options });
}

/** A session in the table, with all of `llm`, or with 99 tokens of its own bucket. */
export function chatter(edge: Edge): Session {
  return edge.sessionInTable({ tokens: 100 });
}

/** A request that was let through, and whose answer the test gives. */
export function chat(edge: Edge, session: Session, worker = 0, headers: Record<string, string> = {}): Stream {
  const stream = edge.worker(worker).open(headersOf({ path: "/chat", session, headers }));
  if (stream.state !== "upstream") throw new Error(`the request was not let through: ${stream.status ?? "it waits"}`);
  return stream;
}

export function isLetThrough(edge: Edge, session: Session, path = "/chat"): boolean {
  const stream = edge.worker(0).open(headersOf({ path, session }));
  if (stream.state !== "upstream") return false;
  stream.abandon();
  return true;
}

/** Whole tokens that are left of `llm`. */
export function llmLeft(edge: Edge, session: Session): number {
  return leftOf(edge, session, 1)[1] ?? NaN;
}

export const JSON_HEADERS = { ":status": "200", "content-type": "application/json" };
export const EVENT_HEADERS = { ":status": "200", "content-type": "text/event-stream" };

export function pieces(text: string, bytesEach = Infinity): Uint8Array[] {
  const bytes = Buffer.from(text);
  const each = Math.min(bytesEach, Math.max(bytes.length, 1));
  return Array.from({ length: Math.ceil(bytes.length / each) }, (_, i) => bytes.subarray(i * each, (i + 1) * each));
}

/** The settlements that were counted, by outcome; those that are not 0. */
export function settlements(edge: Edge): Record<string, number> {
  edge.flush();
  const outcomes = ["settled", "no_value", "invalid", "too_long", "compressed", "no_note", "no_record", "ended"];
  const all = [...outcomes, "other_limits"].map(
    (outcome) => [outcome, edge.host.metrics.sum("sluice_settlements_total", `outcome="${outcome}"`)] as const,
  );
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

/** Tokens that were counted. */
export function tokensCounted(edge: Edge): Record<"reserved" | "settled" | "refunded" | "overdrawn", number> {
  edge.flush();
  const sum = (what: string): number => edge.host.metrics.sum(`sluice_tokens_${what}_total`);
  return {
    reserved: sum("reserved"),
    settled: sum("settled"),
    refunded: sum("refunded"),
    overdrawn: sum("overdrawn"),
  };
}
