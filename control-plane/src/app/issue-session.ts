// Use case: issue a session and, this once, its token.
import { planByName } from "../domain/plan.js";
import { createSession } from "../domain/session.js";
import type { NewSession } from "../domain/session.js";
import { newSessionId, SESSION_ID_RANDOM_BYTES } from "../domain/session-id.js";
import { viewOf } from "./sessions.js";
import type { SessionPorts, SessionView } from "./sessions.js";

export interface SessionRequest extends Omit<NewSession, "id"> {
  /** A plan's name; absent: the policy's first plan. */
  readonly plan: string | undefined;
}

export type Issued =
  | { readonly outcome: "issued"; readonly session: SessionView; readonly token: string }
  | { readonly outcome: "noPolicy" }
  | { readonly outcome: "unknownPlan" };

/** The session is durable before the answer: a token that is out always has its session. */
export async function issueSession(ports: SessionPorts, request: SessionRequest): Promise<Issued> {
  const policy = ports.policies.current()?.policy;
  if (policy === undefined) return { outcome: "noPolicy" };
  const plan = planByName(policy, request.plan);
  if (plan === undefined) return { outcome: "unknownPlan" };

  const nowMs = ports.clock.nowMs();
  const id = newSessionId(nowMs, ports.random.bytes(SESSION_ID_RANDOM_BYTES));
  const session = createSession({ ...request, id }, plan, nowMs);
  await ports.store.create(session);

  const { userId, orgId } = session;
  ports.logger.info({ type: "session-created", sessionId: id, userId, orgId }, "session created");
  ports.meter.sessionCreated();
  return { outcome: "issued", session: viewOf(session, ports.policies, nowMs), token: ports.makeToken(id, plan.id) };
}
