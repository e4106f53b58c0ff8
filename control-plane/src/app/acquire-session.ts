// Use case: what an edge is told about a session that its table does not hold (docs/edge-protocol.md, acquire).
import { MICROTOKENS_PER_TOKEN, UNKNOWN_REMEMBERED_MS } from "../../../assembly/contract.js";
import { planById } from "../domain/plan.js";
import type { PlansOfPolicy } from "../domain/plan.js";
import { sessionEndsAtMs, sessionState } from "../domain/session.js";
import type { Session } from "../domain/session.js";
import type { LogPosition } from "./ports.js";
import type { SessionPorts } from "./sessions.js";

export interface LiveAnswer extends LogPosition {
  readonly state: "live";
  /** Plan id. The filter answers 503 for one that its policy lacks. */
  readonly plan: number;
  readonly endsInMs: number;
  /** Microtokens in the bucket now. */
  readonly level: number;
  /** Tokens spent at this edge, as far as it has reported. */
  readonly consumed: number;
  readonly rev: number;
  readonly budgetSpent: boolean;
}

export interface EndedAnswer extends LogPosition {
  readonly state: "revoked" | "expired" | "unknown";
  /** How long the edge may hold on to that. */
  readonly endsInMs: number;
}

export type Acquired = LiveAnswer | EndedAnswer;

/**
 * The answer, or undefined while no policy is loaded: then nothing can be said, and the edge goes by its own rules.
 * A live session counts as active. The position is read before the session, so that a withdrawal in between has a
 * higher number than the answer carries and the edge asks again; that of a revoked one after it, so that it covers
 * the revocation itself.
 */
export async function acquireSession(ports: SessionPorts, id: string): Promise<Acquired | undefined> {
  const policy = ports.policies.current()?.policy;
  if (policy === undefined) {
    ports.meter.acquired("unavailable");
    return undefined;
  }
  const before = await ports.store.position();
  const session = await findActive(ports, policy, id);
  const answer = judge(session, policy, ports.clock.nowMs(), before);
  const sound = answer.state === "revoked" ? { ...answer, ...(await ports.store.position()) } : answer;
  ports.meter.acquired(sound.state);
  return sound;
}

/** The session as stored, its activity noted if it is live. It may be revoked while that is written. */
async function findActive(ports: SessionPorts, policy: PlansOfPolicy, id: string): Promise<Session | undefined> {
  const session = await ports.store.find(id);
  if (session === undefined) return undefined;
  const nowMs = ports.clock.nowMs();
  const endsAtMs = sessionEndsAtMs(session, planById(policy, session.plan.id));
  if (sessionState(session, endsAtMs, nowMs) !== "live") return session;
  return ports.store.recordActivity(id, nowMs);
}

function judge(session: Session | undefined, policy: PlansOfPolicy, nowMs: number, at: LogPosition): Acquired {
  if (session === undefined) return { state: "unknown", endsInMs: UNKNOWN_REMEMBERED_MS, ...at };
  const plan = planById(policy, session.plan.id);
  const endsAtMs = sessionEndsAtMs(session, plan);
  const endsInMs = Math.max(0, endsAtMs - nowMs);
  const state = sessionState(session, endsAtMs, nowMs);
  if (state !== "live") return { state, endsInMs, ...at };
  const level = (plan ?? session.plan).maxTokens * MICROTOKENS_PER_TOKEN;
  return { state, plan: session.plan.id, endsInMs, level, consumed: 0, rev: 0, budgetSpent: false, ...at };
}
