// Under what a session is filed, so that it is found without its id. Each is called inside `commits.run`, beside
// the write of the session itself.
import { limitGroup } from "../../domain/issued-by.js";
import type { Session } from "../../domain/session.js";
import { userOfLimit } from "../user-of-limit.js";
import type { LmdbLayout } from "./layout.js";

/** Sorts after every session id. */
export const AFTER_ALL_IDS = "~";

/** Files a new session by whose it is. */
export function indexSession(db: LmdbLayout, { id, userId, orgId, issuer }: Session): void {
  void db.byUser.put([userId, id], true);
  void db.byOrg.put([orgId, id], true);
  if (issuer === undefined) return;
  void db.byIssuer.put([issuer, id], true);
  void db.byIssuerAndUser.put([issuer, userId, id], true);
}

/** For a session that is removed. */
export function unindexSession(db: LmdbLayout, { id, userId, orgId, issuer }: Session): void {
  void db.byUser.remove([userId, id]);
  void db.byOrg.remove([orgId, id]);
  if (issuer === undefined) return;
  void db.byIssuer.remove([issuer, id]);
  void db.byIssuerAndUser.remove([issuer, userId, id]);
}

/** Indexes a session that may be live under its plan: a new one, or one with another plan than before. */
export function indexUnderPlan(db: LmdbLayout, session: Session): void {
  const { id, userId, plan, lastActivity } = session;
  void db.byPlan.put([plan.id, id], true);
  void db.byUserAndPlan.put([userOfLimit(userId, limitGroup(session)), plan.id, id], true);
  void db.byActivity.put([plan.id, lastActivity, id], true);
}

/** For a session that has ended, or that leaves its plan. */
export function unindexFromPlan(db: LmdbLayout, session: Session): void {
  const { id, userId, plan } = session;
  void db.byPlan.remove([plan.id, id]);
  void db.byUserAndPlan.remove([userOfLimit(userId, limitGroup(session)), plan.id, id]);
}
