// The steps of a sweep in LMDB: walks over the indexes by time. Each is called inside `env.transaction`.
import type { ActivityCursor, ExpiryStep, IdleStep, Instance, Swept } from "../../app/ports/usage-ports.js";
import { hasEndedForGood } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { sessionIdFloor } from "../../domain/session-id.js";
import type { LmdbLayout } from "./layout.js";
import { unindexFromPlan } from "./session-index.js";
import { activeBy, rangeOfSession, usageRows } from "./usage-rows.js";

/** A step ends early once it has read or removed so many rows of its sessions: about 2 ms. */
const ROWS_A_STEP = 500;

/** Plans by id, each found by one look past the one before it. */
export function plansInUse({ byPlan, byActivity }: LmdbLayout): number[] {
  const plans = new Set<number>();
  for (const index of [byPlan, byActivity]) {
    let next = 0;
    for (;;) {
      const [planId] = firstKey(index, next);
      if (planId === undefined) break;
      plans.add(planId);
      next = planId + 1;
    }
  }
  return [...plans].sort((a, b) => a - b);
}

/** The first key of a plan with at least this id, empty if there is none. */
function firstKey(index: LmdbLayout["byPlan"] | LmdbLayout["byActivity"], planId: number): [planId?: number] {
  const [key] = [...index.getKeys({ start: [planId] as never, limit: 1 })];
  return key === undefined ? [] : [key[0]];
}

/** Ends the session for idleness. */
export function endNow(db: LmdbLayout, session: Session, atMs: number): Session {
  const ended = { ...session, idleEndedAt: atMs };
  void db.sessions.put(session.id, ended);
  unindexFromPlan(db, session);
  return ended;
}

/** Looks at sessions in the order of the activity they are indexed under, and indexes anew whose entry is out of date. */
export function endIdleStep(db: LmdbLayout, step: IdleStep): Swept<ActivityCursor> {
  const { planId, untilMs, after, limit } = step;
  const start = after === undefined ? [planId] : [planId, ...after];
  const range = { start, end: [planId, untilMs + 1], exclusiveStart: after !== undefined, limit };
  const keys = [...db.byActivity.getKeys(range)];
  const sessions: Session[] = [];
  let rows = 0;
  for (const [, indexedMs, id] of keys) {
    const { session, holders } = withHolders(db, db.sessions.get(id), step.isIdle);
    if (session === undefined || !isInPlace(session, planId, indexedMs)) indexAnew(db, session, planId, indexedMs, id);
    else if (step.isIdle(session, holders)) sessions.push(endFiled(db, session, step.atMs));
    rows += holders.length;
    if (rows >= ROWS_A_STEP) return { sessions, next: [indexedMs, id] };
  }
  const last = keys.at(-1);
  return { sessions, next: last === undefined || keys.length < limit ? undefined : [last[1], last[2]] };
}

/**
 * Who holds the session, where that could keep it from ending: others are not worth the read. What its rows know of its
 * activity is then written into the session, so that it is filed once, at its last activity.
 */
function withHolders(
  db: LmdbLayout,
  stored: Session | undefined,
  isIdle: IdleStep["isIdle"],
): { session: Session | undefined; holders: readonly Instance[] } {
  if (stored === undefined || hasEndedForGood(stored) || !isIdle(stored, [])) return { session: stored, holders: [] };
  const holders = usageRows(db, stored.id);
  const session = activeBy(stored, holders);
  if (session !== stored) void db.sessions.put(session.id, session);
  return { session, holders };
}

const isInPlace = (session: Session, planId: number, indexedMs: number): boolean =>
  session.plan.id === planId && session.lastActivity === indexedMs && !hasEndedForGood(session);

function indexAnew(db: LmdbLayout, session: Session | undefined, planId: number, indexedMs: number, id: string): void {
  void db.byActivity.remove([planId, indexedMs, id]);
  if (session === undefined) return;
  if (hasEndedForGood(session)) void db.ended.put(id, true);
  else void db.byActivity.put([session.plan.id, session.lastActivity, id], true);
}

function endFiled(db: LmdbLayout, session: Session, atMs: number): Session {
  void db.byActivity.remove([session.plan.id, session.lastActivity, session.id]);
  void db.ended.put(session.id, true);
  return endNow(db, session, atMs);
}

export function removeExpiredStep(db: LmdbLayout, step: ExpiryStep): Swept<string> {
  const { planId, untilMs, after, limit, isExpired } = step;
  const start = after === undefined ? [planId] : [planId, after];
  const end = [planId, sessionIdFloor(untilMs + 1)];
  const keys = [...db.byPlan.getKeys({ start, end, exclusiveStart: after !== undefined, limit })];
  const sessions: Session[] = [];
  let rows = 0;
  for (const [, id] of keys) {
    const session = db.sessions.get(id);
    if (session === undefined) void db.byPlan.remove([planId, id]);
    else if (isExpired(session)) {
      rows += remove(db, session);
      sessions.push(session);
      if (rows >= ROWS_A_STEP) return { sessions, next: id };
    }
  }
  const last = keys.at(-1);
  return { sessions, next: last === undefined || keys.length < limit ? undefined : last[1] };
}

export function removeEndedStep(db: LmdbLayout, createdBeforeMs: number, limit: number): number {
  let removed = 0;
  let rows = 0;
  for (const id of [...db.ended.getKeys({ end: sessionIdFloor(createdBeforeMs), limit })]) {
    void db.ended.remove(id);
    const session = db.sessions.get(id);
    if (session !== undefined) rows += remove(db, session);
    removed++;
    if (rows >= ROWS_A_STEP) break;
  }
  return removed;
}

/**
 * The session with all that belongs to it. Its entry by activity is cleared by the walk that meets it. Answers how
 * many rows went with it.
 */
function remove(db: LmdbLayout, session: Session): number {
  const { id, userId, orgId } = session;
  void db.sessions.remove(id);
  void db.byUser.remove([userId, id]);
  void db.byOrg.remove([orgId, id]);
  unindexFromPlan(db, session);
  const usage = [...db.usage.getKeys(rangeOfSession(id))];
  for (const key of usage) void db.usage.remove(key);
  const consumptions = [...db.consumptions.getKeys(rangeOfSession(id))];
  for (const key of consumptions) void db.consumptions.remove(key);
  return usage.length + consumptions.length;
}
