// Under what a session is filed, so that it is found without its id. Each is called inside `commits.run`, beside
// the write of the session itself.
import type { Session } from "../../domain/session.js";
import type { LmdbLayout } from "./layout.js";

/** Sorts after every session id. */
export const AFTER_ALL_IDS = "~";

/** Files a new session by whose it is. */
export function indexSession(db: LmdbLayout, { id, userId, orgId }: Session): void {
  void db.byUser.put([userId, id], true);
  void db.byOrg.put([orgId, id], true);
}

/** Indexes a session that may be live under its plan: a new one, or one with another plan than before. */
export function indexUnderPlan(db: LmdbLayout, { id, userId, plan, lastActivity }: Session): void {
  void db.byPlan.put([plan.id, id], true);
  void db.byUserAndPlan.put([userId, plan.id, id], true);
  void db.byActivity.put([plan.id, lastActivity, id], true);
}

/** For a session that has ended, or that leaves its plan. */
export function unindexFromPlan(db: LmdbLayout, { id, userId, plan }: Session): void {
  void db.byPlan.remove([plan.id, id]);
  void db.byUserAndPlan.remove([userId, plan.id, id]);
}
