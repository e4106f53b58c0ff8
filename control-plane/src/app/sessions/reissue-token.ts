// Use case: give out a session's token once more.
import { decideReissue } from "../../domain/decisions/reissue-token.js";
import type { Session } from "../../domain/session.js";
import { logAudited } from "../access/audit.js";
import { liveAt } from "../edges/session-ends.js";
import { planNameIn } from "../edges/usage.js";
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
  const atMs = ports.clock.nowMs();
  const policy = ports.policies.current()?.policy;
  const isLive = liveAt(ports.policies, atMs);
  const request = { atMs, actor, isLive, planNameOf: (session: Session) => planNameIn(policy, session) };
  const { answer, changes } = await ports.store.update("session", id, ({ found }) => decideReissue(found, request));
  logAudited(ports.logger, changes);
  if (answer.outcome !== "reissued") return answer;
  const { session } = answer;
  const view = viewOf(session, ports.policies, atMs);
  return { outcome: "reissued", session: view, token: ports.makeToken(id, session.plan.id) };
}
