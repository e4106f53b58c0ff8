// Use case: give out a session's token once more.
import { logAudit } from "../access/audit.js";
import type { AuditEvent } from "../ports/audit-ports.js";
import { viewOf } from "./sessions.js";
import type { SessionPorts, SessionView } from "./sessions.js";

export type Reissued =
  | { readonly outcome: "reissued"; readonly session: SessionView; readonly token: string }
  | { readonly outcome: "unknown" | "ended" };

/**
 * The token of a live session with its present plan and the present secret. A token says no more than session, plan
 * and key, so where neither has changed it is the same one; and tokens given out before stay valid, for they name the
 * same session. To make an old one invalid, revoke the session.
 */
export async function reissueToken(ports: SessionPorts, id: string, actor: string): Promise<Reissued> {
  const session = await ports.store.find(id);
  if (session === undefined) return { outcome: "unknown" };
  const at = ports.clock.nowMs();
  const view = viewOf(session, ports.policies, at);
  if (view.state !== "live") return { outcome: "ended" };
  const event: AuditEvent = { at, actor, action: "token-reissued", sessionId: id, details: { plan: view.plan } };
  await ports.audit.appendAudit(event);
  logAudit(ports.logger, event);
  return { outcome: "reissued", session: view, token: ports.makeToken(id, session.plan.id) };
}
