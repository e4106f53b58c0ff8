// Use case: revoke one session.
import type { AuditEvent } from "../../domain/stored.js";
import { decideRevocation } from "../../domain/decisions/revoke-sessions.js";
import { logAudited } from "../access/audit.js";
import type { SessionPorts } from "./sessions.js";

/**
 * Ends the session for good, durably. Also an expired one: its plan's lifetime may grow later, and then it must not
 * come back. Repeating it changes and logs nothing. `actor` is the public name of who asked for it.
 */
export async function revokeSession(ports: SessionPorts, id: string, actor: string): Promise<"revoked" | "unknown"> {
  const nowMs = ports.clock.nowMs();
  const event: AuditEvent = { at: nowMs, actor, action: "session-revoked", sessionId: id, details: {} };
  const { answer: revocation, changes } = await ports.store.update("session", id, ({ found }) =>
    decideRevocation(found?.session, nowMs, event),
  );
  if (revocation === undefined) return "unknown";
  if (revocation.newly) {
    const durationMs = Math.max(0, nowMs - revocation.session.createdAt);
    ports.logger.info({ event: "session-removed", sessionId: id, reason: "revoked" }, "session removed");
    logAudited(ports.logger, changes);
    // One that had ended for idleness was counted then.
    if (revocation.session.idleEndedAt === undefined) ports.meter.sessionRemoved("revoked", durationMs);
  }
  return "revoked";
}
