// Decides whether a session's token is given out once more.
import type { Session } from "../session.js";
import { unchanged } from "../changes.js";
import type { Decision } from "../changes.js";
import { activeSession } from "../stored.js";
import type { SessionRecord } from "../stored.js";

export interface ReissueRequest {
  readonly atMs: number;
  /** The public name of who asked for it. */
  readonly actor: string;
  /** The present name of the session's plan. */
  readonly planNameOf: (session: Session) => string;
  readonly isLive: (session: Session) => boolean;
}

export type ReissueOutcome =
  { readonly outcome: "reissued"; readonly session: Session } | { readonly outcome: "unknown" | "ended" };

/** That it was given out stands in the audit log; the session stays as it is. */
export function decideReissue(
  found: SessionRecord | undefined,
  { atMs, actor, planNameOf, isLive }: ReissueRequest,
): Decision<ReissueOutcome> {
  if (found === undefined) return unchanged({ outcome: "unknown" });
  const session = activeSession(found);
  if (!isLive(session)) return unchanged({ outcome: "ended" });
  const details = { plan: planNameOf(session), issuer: session.issuer ?? null };
  return {
    answer: { outcome: "reissued", session },
    changes: { audit: [{ at: atMs, actor, action: "token-reissued", sessionId: session.id, details }] },
  };
}
