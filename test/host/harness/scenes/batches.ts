// Acquires of many sessions: which a call asks about, and an answer about all of them.
import type { Callout } from "../host/callouts.js";
import type { Edge } from "./edge.js";
import type { Session } from "./tokens.js";

/** Calls that a worker has out at a time. */
export const MAX_CALLS_OUT = 8;

/** The sessions that an acquire asks about, in order. */
export function sessionsOf({ json }: Callout): string[] {
  const { session, others = [] } = json as { session: string; others?: { session: string }[] };
  return [session, ...others.map((other) => other.session)];
}

/** What a control plane answers an acquire of one session or several. */
export function batchAnswer(acquire: Callout, answerOf: (id: string) => string): string {
  const [first = "", ...others] = sessionsOf(acquire);
  const parsed = (id: string): object => JSON.parse(answerOf(id)) as object;
  return JSON.stringify({ ...parsed(first), others: others.map((session) => ({ session, ...parsed(session) })) });
}

/** Answers every acquire that is out, and those that follow, until none is. */
export function answerAll(edge: Edge, answerOf: (id: string) => string): void {
  for (let [acquire] = edge.pendingAcquires; acquire !== undefined; [acquire] = edge.pendingAcquires) {
    acquire.answer(200, batchAnswer(acquire, answerOf));
  }
}

/** Makes as many sessions wait as calls may be out: the next session queues. */
export function fillCalls(edge: Edge, worker = 0): Session[] {
  const sessions = Array.from({ length: MAX_CALLS_OUT }, () => edge.newSession());
  for (const session of sessions) edge.send(session, worker);
  return sessions;
}
