// A session of two further limits, and what its edge says of them to the control plane.
import type { Callout } from "../host/callouts.js";
import type { PolicyDocument } from "./documents.js";
import { Edge } from "./edge.js";
import { limit, limited } from "./limits.js";
import type { Session } from "./tokens.js";

interface Usage {
  readonly session?: string;
  readonly usage?: readonly (readonly unknown[])[];
  readonly limits?: Readonly<Record<string, readonly string[]>>;
  readonly more?: boolean;
}

export const said = (callout: Callout): Usage => callout.json as Usage;
export const bodyBytes = (callout: Callout): number => callout.body.length;

export const TWO = limited([limit("search", 8), limit("daily", 6)]);
/** SHA-256 over plan 0, scope 0 and the names, each behind its length. */
export const TWO_TAG = "70543307";

/** A session whose buckets were full before its first request. */
export function startedWith(document: PolicyDocument): { edge: Edge; session: Session } {
  const edge = new Edge({ policy: document });
  const session = edge.newSession();
  edge.send(session);
  edge.answerLive({ levels: {} });
  return { edge, session };
}
