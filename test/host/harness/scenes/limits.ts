// Policies whose plans have several limits, and what is left of each for a session.
import { plan, policy, type PolicyDocument } from "./documents.js";
import { requestWith, type Edge } from "./edge.js";
import type { Stream } from "../host/stream.js";
import type { Session } from "./tokens.js";

export interface LimitDocument {
  readonly name: string;
  readonly maxTokens: number;
  readonly tokenRefillRate?: number;
  readonly refill?: string;
  readonly applies?: "always" | "routes";
}

/** A limit that never refills, unless a test says otherwise. */
export function limit(name: string, maxTokens: number, overrides: Partial<LimitDocument> = {}): LimitDocument {
  const rate = overrides.refill === undefined ? { tokenRefillRate: 0 } : {};
  return { name, maxTokens, ...rate, ...overrides };
}

/** One plan of 10 tokens, beside these limits; no rate refills it. */
export function limited(limits: readonly LimitDocument[], overrides: PolicyDocument = {}): PolicyDocument {
  return policy({ plans: [plan({ limits })], ...overrides });
}

/** What is left of the plan's own bucket and of its further limits, in the order of their names: whole tokens. */
export function leftOf(edge: Edge, session: Session, further: number): number[] {
  const record = edge.table.record(session.id);
  if (record === undefined) return [];
  return [record.levelTokens, ...(record.annex?.levelsTokens.slice(0, further) ?? [])];
}

/** A request of the session for a path. */
export function get(edge: Edge, session: Session, path: string, worker = 0): Stream {
  return edge.worker(worker).request(requestWith(session, path));
}
