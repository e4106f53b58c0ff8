// Use case: revoke one session.
import type { IssuedBy } from "../../domain/issued-by.js";
import type { AuditEvent } from "../../domain/stored.js";
import { decideRevocation } from "../../domain/decisions/revoke-sessions.js";
import { logAudited } from "../access/audit.js";
import type { SessionPorts } from "./sessions.js";
import { isWithinReach } from "./within-reach.js";

/** Who asks: for the audit log, and whose sessions it may revoke. */
export interface Revoker {
  readonly actor: string;
  readonly issuedBy: IssuedBy | null;
}

/**
 * Ends the session for good, durably. Also an expired one: its plan's lifetime may grow later, and then it must not
 * come back. Repeating it changes and logs nothing.
 */
export async function revokeSession(
  ports: SessionPorts,
  id: string,
  { actor, issuedBy }: Revoker,
): Promise<"revoked" | "unknown"> {
  // Who issued a session never changes, so what is seen here stands when it is written.
  if (!(await isWithinReach(ports, id, issuedBy))) return "unknown";
  const nowMs = ports.clock.nowMs();
  const event: AuditEvent = { at: nowMs, actor, action: "session-revoked", sessionId: id, details: {} };
  const { answer: revocation, changes } = await ports.store.update("session", id, ({ found }) =>
    decideRevocation(found?.session, nowMs, event),
  );
  if (revocation === undefined) return "unknown";
  if (revocation.newly) {
    const durationMs = Math.max(0, nowMs - revocation.session.createdAt);
    logAudited(ports.logger, changes);
    // One that had ended for idleness was counted then.
    if (revocation.session.idleEndedAt === undefined) ports.meter.sessionRemoved("revoked", durationMs);
  }
  return "revoked";
}
