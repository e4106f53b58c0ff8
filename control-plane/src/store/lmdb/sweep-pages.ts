// The pages of a sweep in LMDB: walks over the indexes by time. Each is called inside `commits.run`.
import type { ActivityCursor, OldestSessions, Page, PageOfPlan, SessionsAfter } from "../../app/ports/update-ports.js";
import { hasEndedForGood } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { sessionIdFloor } from "../../domain/session-id.js";
import { activeSession } from "../../domain/stored.js";
import type { SessionRecord } from "../../domain/stored.js";
import type { LmdbLayout } from "./layout.js";
import { findRecord, rangeOfSession } from "./usage-rows.js";

/** A page ends early once its sessions have so many rows, which are read, or removed with them: about 2 ms. */
const ROWS_A_PAGE = 500;

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

/** Walks in the order of the activity that sessions are indexed under, and indexes anew whose entry is out of date. */
export function byActivity(
  db: LmdbLayout,
  { planId, untilMs, after, limit }: PageOfPlan<ActivityCursor>,
): Page<SessionRecord, ActivityCursor> {
  const start = after === undefined ? [planId] : [planId, ...after];
  const range = { start, end: [planId, untilMs + 1], exclusiveStart: after !== undefined, limit };
  const keys = [...db.byActivity.getKeys(range)];
  const page: SessionRecord[] = [];
  let rows = 0;
  for (const [, indexedMs, id] of keys) {
    const record = findRecord(db, id);
    if (record !== undefined && isInPlace(record, planId, indexedMs)) page.push(record);
    else indexAnew(db, record, planId, indexedMs, id);
    rows += record?.rows.length ?? 0;
    if (rows >= ROWS_A_PAGE) return { page, next: [indexedMs, id] };
  }
  const last = keys.at(-1);
  return { page, next: last === undefined || keys.length < limit ? undefined : [last[1], last[2]] };
}

const isInPlace = (record: SessionRecord, planId: number, indexedMs: number): boolean =>
  record.session.plan.id === planId &&
  activeSession(record).lastActivity === indexedMs &&
  !hasEndedForGood(record.session);

function indexAnew(
  db: LmdbLayout,
  record: SessionRecord | undefined,
  planId: number,
  indexedMs: number,
  id: string,
): void {
  void db.byActivity.remove([planId, indexedMs, id]);
  if (record === undefined) return;
  const session = activeSession(record);
  if (hasEndedForGood(session)) void db.ended.put(id, true);
  else void db.byActivity.put([session.plan.id, session.lastActivity, id], true);
}

export function byCreation(
  db: LmdbLayout,
  { planId, untilMs, after, limit }: PageOfPlan<string>,
): Page<Session, string> {
  const start = after === undefined ? [planId] : [planId, after];
  const end = [planId, sessionIdFloor(untilMs + 1)];
  const keys = [...db.byPlan.getKeys({ start, end, exclusiveStart: after !== undefined, limit })];
  const page: Session[] = [];
  let rows = 0;
  for (const [, id] of keys) {
    const session = db.sessions.get(id);
    if (session === undefined) {
      void db.byPlan.remove([planId, id]);
      continue;
    }
    page.push(session);
    rows += rowCount(db, id);
    if (rows >= ROWS_A_PAGE) return { page, next: id };
  }
  const last = keys.at(-1);
  return { page, next: last === undefined || keys.length < limit ? undefined : last[1] };
}

export function createdAfter(db: LmdbLayout, { createdAfterMs, after, limit }: SessionsAfter): Page<Session, string> {
  const start = after ?? sessionIdFloor(createdAfterMs);
  const found = [...db.sessions.getRange({ start, exclusiveStart: after !== undefined, limit })];
  const page: Session[] = [];
  let rows = 0;
  for (const { key, value } of found) {
    page.push(value);
    rows += rowCount(db, key);
    if (rows >= ROWS_A_PAGE) return { page, next: key };
  }
  return { page, next: found.length < limit ? undefined : found.at(-1)?.key };
}

export function ended(db: LmdbLayout, { createdBeforeMs, limit }: OldestSessions): Session[] {
  const page: Session[] = [];
  let rows = 0;
  for (const id of [...db.ended.getKeys({ end: sessionIdFloor(createdBeforeMs), limit })]) {
    const session = db.sessions.get(id);
    if (session === undefined) {
      void db.ended.remove(id);
      continue;
    }
    page.push(session);
    rows += rowCount(db, id);
    if (rows >= ROWS_A_PAGE) break;
  }
  return page;
}

/** What goes with the session. */
function rowCount({ usage, consumptions }: LmdbLayout, id: string): number {
  const range = rangeOfSession(id) as never;
  return usage.getKeysCount(range) + consumptions.getKeysCount(range);
}
