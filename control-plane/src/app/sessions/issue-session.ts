// Use case: issue a session and, this once, its token.
import { createHash } from "node:crypto";

import { decideCreation, limitOf } from "../../domain/decisions/create-session.js";
import type { Creation, RepeatableRequest } from "../../domain/decisions/create-session.js";
import { peersIn } from "../../domain/issued-by.js";
import { planByName } from "../../domain/plan.js";
import { createSession } from "../../domain/session.js";
import type { NewSession, Session } from "../../domain/session.js";
import { idAfter, newSessionId, SESSION_ID_RANDOM_BYTES } from "../../domain/session-id.js";
import { liveAt } from "../edges/session-ends.js";
import type { SteadyClock } from "../ports/ports.js";
import { keysKnownSinceMs, viewOf } from "./sessions.js";
import type { SessionPorts, SessionView } from "./sessions.js";

export interface SessionRequest extends Omit<NewSession, "id"> {
  readonly issuer: string;
  /** A plan's name; absent: the policy's first plan. */
  readonly plan: string | undefined;
  /** Kept as the session's ip where its metadata names none. Undefined: not known. */
  readonly callerIp?: string | undefined;
}

export type Issued =
  /** `repeated`: an earlier request with this key has made the session. */
  | { readonly outcome: "issued"; readonly session: SessionView; readonly token: string; readonly repeated: boolean }
  | { readonly outcome: "noPolicy" | "unknownPlan" | "tooManySessions" | "keyReused" | "gone" };

/** How long a creation may be repeated under its key. */
export const CREATION_KEY_KEPT_MS = 86_400_000;

/**
 * The session is durable before the answer: a token that is out always has its session. With a key, the first request
 * makes the session, and each that says the same in the next 24 hours is given that session and that token again.
 */
export async function issueSession(ports: SessionPorts, request: SessionRequest, key?: string): Promise<Issued> {
  const policy = ports.policies.current()?.policy;
  if (policy === undefined) return { outcome: "noPolicy" };
  const plan = planByName(policy, request.plan);
  if (plan === undefined) return { outcome: "unknownPlan" };

  const nowMs = ports.clock.nowMs();
  const { metadata, callerIp } = request;
  const id = newSessionId(nowMs, ports.random.bytes(SESSION_ID_RANDOM_BYTES));
  const fresh = { ...request, metadata: { ...metadata, ip: metadata.ip ?? callerIp ?? null } };
  const limit = limitOf(plan);
  const creation = (newestId: string | undefined): Creation => ({
    session: createSession({ ...fresh, id: idAfter(newestId, id) }, plan, nowMs),
    ...{ limit, isLive: liveAt(ports.policies, nowMs) },
    repeatable: key === undefined ? null : repeatable(key, request, ports.clock),
  });
  const peers = limit === null ? null : peersIn(plan.id, request);
  const wanted = { sessionId: id, key: key ?? null, peers };
  const { answer } = await ports.store.update("creation", wanted, (state) =>
    decideCreation(state, creation(state.newestId)),
  );
  if (answer.outcome === "repeated") return issued(ports, answer.session, answer.planId, nowMs, true);
  if (answer.outcome === "exists") throw new Error(`session ${id} exists`);
  if (answer.outcome !== "created") return { outcome: answer.outcome };

  const { session } = answer;
  for (const removed of answer.removed) noteReplaced(ports, removed, nowMs);
  const { userId, orgId, issuer } = session;
  ports.logger.info({ event: "session-created", sessionId: session.id, userId, orgId, issuer }, "session created");
  ports.meter.sessionCreated();
  return issued(ports, session, plan.id, nowMs, false);
}

function issued(ports: SessionPorts, session: Session, planId: number, nowMs: number, repeated: boolean): Issued {
  const token = ports.makeToken(session.id, planId);
  return { outcome: "issued", session: viewOf(session, ports.policies, nowMs), token, repeated };
}

/**
 * Two requests say the same if their fields do, in whatever order and spelling they were sent. A repetition may come by
 * another way: the caller's address is none of them.
 */
function repeatable(key: string, request: SessionRequest, clock: SteadyClock): RepeatableRequest {
  const { userId, orgId, plan = null, metadata } = request;
  const { userAgent = null, ip = null, route = null } = metadata;
  const said = JSON.stringify([userId, orgId, plan, userAgent, ip, route]);
  const requestHash = createHash("sha256").update(said).digest("hex");
  return { key, requestHash, keptSinceMs: keysKnownSinceMs(clock, CREATION_KEY_KEPT_MS) };
}

function noteReplaced(ports: SessionPorts, { id, createdAt }: Session, nowMs: number): void {
  ports.logger.info({ event: "session-removed", sessionId: id, reason: "replaced" }, "session removed");
  ports.meter.sessionRemoved("replaced", Math.max(0, nowMs - createdAt));
}
