// Puts many sessions straight into a store, as its own transactions would write them: for measurements.
import type { Session } from "../../../control-plane/src/domain/session.js";
import type { LmdbLayout } from "../../../control-plane/src/store/lmdb/layout.js";
import { indexSession, indexUnderPlan } from "../../../control-plane/src/store/lmdb/session-index.js";

const SESSIONS_A_COMMIT = 5000;

/**
 * The sessions of number 0 to `count` − 1, as `make` makes them. Answers their ids.
 * @param withEach writes what belongs to a session, in the transaction that writes it
 */
export async function storeSessions(
  db: LmdbLayout,
  count: number,
  make: (i: number) => Session,
  withEach: (session: Session) => void = () => undefined,
): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    await db.env.transaction(() => {
      for (let left = Math.min(SESSIONS_A_COMMIT, count - ids.length); left > 0; left--) {
        const session = make(ids.length);
        void db.sessions.put(session.id, session);
        indexSession(db, session);
        indexUnderPlan(db, session);
        withEach(session);
        ids.push(session.id);
      }
    });
  }
  return ids;
}
