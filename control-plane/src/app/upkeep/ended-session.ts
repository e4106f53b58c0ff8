// What is said of a session that ended by itself: a line in the log, and figures for whoever counts.
import type { Session } from "../../domain/session.js";
import type { Logger, Meter } from "../ports/ports.js";

interface EndedSessionPorts {
  readonly logger: Logger;
  readonly meter: Meter;
}

/** @param session ended for idleness */
export function endedForIdleness({ logger, meter }: EndedSessionPorts, session: Session): void {
  logger.info({ event: "session-removed", sessionId: session.id, reason: "idle" }, "session removed");
  meter.sessionRemoved("idle", Math.max(0, (session.idleEndedAt ?? session.createdAt) - session.createdAt));
}

/** @param endedAtMs when its lifetime was over */
export function endedByLifetime({ logger, meter }: EndedSessionPorts, session: Session, endedAtMs: number): void {
  logger.info({ event: "session-removed", sessionId: session.id, reason: "expired" }, "session removed");
  meter.sessionRemoved("expired", Math.max(0, endedAtMs - session.createdAt));
}
