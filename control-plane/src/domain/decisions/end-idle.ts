// Decides which of a page of sessions end for idleness.
import { hasEndedForGood } from "../session.js";
import type { Session } from "../session.js";
import type { Decision } from "../changes.js";
import { activeSession } from "../stored.js";
import type { Instance, SessionRecord } from "../stored.js";

/** Like a revocation that is final; but edges hear nothing of it: who holds the session has it ended by itself. */
export const endedForIdleness = (session: Session, atMs: number): Session => ({ ...session, idleEndedAt: atMs });

/** Answers those that end, as they then are. */
export function decideIdleEnds(
  page: readonly SessionRecord[],
  atMs: number,
  isIdle: (session: Session, holders: readonly Instance[]) => boolean,
): Decision<readonly Session[]> {
  const sessions = page
    .filter((record) => !hasEndedForGood(record.session) && isIdle(activeSession(record), record.rows))
    .map((record) => ({ before: record.session, after: endedForIdleness(activeSession(record), atMs) }));
  return { answer: sessions.map(({ after }) => after), changes: { sessions } };
}
