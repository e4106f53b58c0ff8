// Use case: revoke one session.
import type { SessionPorts } from "./sessions.js";

/**
 * Ends the session for good, durably. Also an expired one: its plan's lifetime may grow later, and then it must not
 * come back. Repeating it changes and logs nothing.
 */
export async function revokeSession(ports: SessionPorts, id: string): Promise<"revoked" | "unknown"> {
  const nowMs = ports.clock.nowMs();
  const revocation = await ports.store.revoke(id, nowMs);
  if (revocation === undefined) return "unknown";
  if (revocation.newly) {
    const durationMs = Math.max(0, nowMs - revocation.session.createdAt);
    ports.logger.info({ type: "session-removed", sessionId: id, reason: "revoked" }, "session removed");
    ports.meter.sessionRemoved("revoked", durationMs);
  }
  return "revoked";
}
