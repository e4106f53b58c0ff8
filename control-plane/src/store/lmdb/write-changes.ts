// Writes what was decided, with the indexes that follow from it. Inside `commits.run`.
import { budgetsToWrite } from "../../domain/changes.js";
import type { Changes, SessionChange } from "../../domain/changes.js";
import { hasEndedForGood } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { appendAudit } from "./audit.js";
import { keepCreationKey } from "./creation-keys.js";
import { appendInvalidation, positionOf } from "./invalidation-log.js";
import type { LmdbLayout } from "./layout.js";
import { indexSession, indexUnderPlan, unindexFromPlan, unindexSession } from "./session-index.js";
import { rangeOfSession } from "./usage-rows.js";

export function writeChanges(db: LmdbLayout, changes: Changes): void {
  for (const change of changes.sessions ?? []) writeSession(db, change);
  for (const { sessionId, edge, instance, ...row } of changes.rows ?? []) {
    void db.usage.put([sessionId, edge, instance], row);
  }
  for (const { sessionId, edge, instance } of changes.removedRows ?? []) {
    void db.usage.remove([sessionId, edge, instance]);
  }
  for (const { sessionId, budget } of budgetsToWrite(changes)) {
    if (budget === null) void db.leases.remove(sessionId);
    else void db.leases.put(sessionId, budget);
  }
  for (const { kind, sessionId, atMs } of changes.invalidations ?? []) appendInvalidation(db, kind, sessionId, atMs);
  for (const event of changes.audit ?? []) appendAudit(db, event);
  writeKeys(db, changes);
  if (changes.revocation !== undefined) {
    void db.revocations.put(changes.revocation.id, { ...changes.revocation, ...positionOf(db) });
  }
}

function writeKeys(db: LmdbLayout, { creationKey, consumptionKey }: Changes): void {
  if (creationKey !== undefined) {
    const { key, keptSinceMs, ...made } = creationKey;
    keepCreationKey(db, key, made, keptSinceMs);
  }
  if (consumptionKey !== undefined) {
    const { sessionId, key, ...consumed } = consumptionKey;
    void db.consumptions.put([sessionId, key], consumed);
    void db.consumptionsByTime.put([consumed.atMs, sessionId, key], true);
  }
}

function writeSession(db: LmdbLayout, { before, after }: SessionChange): void {
  if (after === null) {
    if (before !== null) remove(db, before);
    return;
  }
  void db.sessions.put(after.id, after);
  if (before === null) indexSession(db, after);
  const was = planOf(before);
  const is = planOf(after);
  if (before !== null && was !== undefined && was !== is) unindexFromPlan(db, before);
  if (is !== undefined && was !== is) indexUnderPlan(db, after);
  if (after.idleEndedAt !== undefined && before?.idleEndedAt === undefined) {
    // Where this is not its entry by activity, the walk that meets that clears it.
    void db.byActivity.remove([after.plan.id, after.lastActivity, after.id]);
    void db.ended.put(after.id, true);
  }
}

/** Under which plan it is indexed. */
const planOf = (session: Session | null): number | undefined =>
  session === null || hasEndedForGood(session) ? undefined : session.plan.id;

/** The session with all that belongs to it. Its entry by activity is cleared by the walk that meets it. */
function remove(db: LmdbLayout, session: Session): void {
  const { id } = session;
  void db.sessions.remove(id);
  unindexSession(db, session);
  void db.leases.remove(id);
  void db.ended.remove(id);
  unindexFromPlan(db, session);
  for (const key of [...db.usage.getKeys(rangeOfSession(id))]) void db.usage.remove(key);
  for (const key of [...db.consumptions.getKeys(rangeOfSession(id))]) void db.consumptions.remove(key);
}
