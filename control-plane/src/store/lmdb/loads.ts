// What decisions are made on, as it stands in LMDB. Each is called inside `commits.run`.
import type { Loads } from "../../app/ports/update-ports.js";
import { peersIn } from "../../domain/issued-by.js";
import type { Peers } from "../../domain/issued-by.js";
import type { Session } from "../../domain/session.js";
import type { RevocationFilter, SessionRecord } from "../../domain/stored.js";
import { unownedKey } from "../../domain/idempotency-key.js";
import { sessionIdCeiling, sessionIdFloor } from "../../domain/session-id.js";
import { lifeOf } from "./fleet-time.js";
import { cursorOf } from "./invalidation-log.js";
import type { LmdbLayout } from "./layout.js";
import { MAX_COUNTED } from "../bounds.js";
import { userOfLimit } from "../user-of-limit.js";
import { AFTER_ALL_IDS } from "./session-index.js";
import { byActivity, byCreation, createdAfter, ended } from "./sweep-pages.js";
import { findRecord, findSession, rowOf, usageRows } from "./usage-rows.js";

export type LoadsOfLmdb = { readonly [Kind in keyof Loads]: (wanted: Loads[Kind]["wanted"]) => Loads[Kind]["found"] };

/** @param log the id of the store's log */
export const loadsOf = (db: LmdbLayout, log: string): LoadsOfLmdb => ({
  session: (id) => ({ found: findRecord(db, id), position: { log, cursor: cursorOf(db) }, life: lifeOf(db, log) }),
  creation: ({ sessionId, key, peers }) => {
    // Keys of before they had owners count for operators, for the day for which they are kept.
    const made =
      key === null ? undefined : (db.creationKeys.get(key) ?? unowned(key, (one) => db.creationKeys.get(one)));
    return {
      exists: db.sessions.doesExist(sessionId),
      newestId: [...db.sessions.getKeys({ start: sessionIdCeiling(sessionId), reverse: true, limit: 1 })][0],
      made,
      madeSession: made && findSession(db, made.sessionId),
      peers: peers === null ? [] : peersOf(db, peers),
    };
  },
  planChange: ({ sessionId, planId }) => {
    const found = findRecord(db, sessionId);
    return { found, peers: found === undefined ? [] : peersOf(db, peersIn(planId, found.session)) };
  },
  consumption: ({ sessionId, key }) => ({
    session: db.sessions.get(sessionId),
    earlier:
      key === null
        ? undefined
        : (db.consumptions.get([sessionId, key]) ?? unowned(key, (one) => db.consumptions.get([sessionId, one]))),
  }),
  report: (rows) => reported(db, rows),
  leases: (ids) => {
    const records = [...new Set(ids)].map((id) => findRecord(db, id)).filter((one) => one !== undefined);
    const position = { log, cursor: cursorOf(db) };
    return { found: new Map(records.map((one) => [one.session.id, one])), position, life: lifeOf(db, log) };
  },
  newestSession: (filter) => sessionIds(db, filter, { reverse: true, limit: 1 })[0],
  revocationChunk: ({ id, limit }) => {
    const operation = db.revocations.get(id);
    if (operation === undefined || operation.finishedAt !== null) return { operation, sessions: [] };
    const { filter, doneTo, upTo } = operation;
    const next = sessionIds(db, filter, { after: doneTo, limit }).filter((one) => one <= upTo);
    return { operation, sessions: sessionsOf(db, next) };
  },
  byActivity: (wanted) => byActivity(db, wanted),
  byCreation: (wanted) => byCreation(db, wanted),
  createdAfter: (wanted) => createdAfter(db, wanted),
  ended: (wanted) => ended(db, wanted),
  withDetails: ({ createdBeforeMs, limit }) => withDetails(db, createdBeforeMs, limit),
});

function unowned<Stored>(key: string, get: (key: string) => Stored | undefined): Stored | undefined {
  const former = unownedKey(key);
  return former === undefined ? undefined : get(former);
}

/** The user's sessions of the plan, of one issuer. */
function peersOf(db: LmdbLayout, { userId, planId, group }: Peers): Session[] {
  const user = userOfLimit(userId, group);
  const range = { start: [user, planId], end: [user, planId + 1], limit: MAX_COUNTED };
  return sessionsOf(
    db,
    [...db.byUserAndPlan.getKeys(range)].map(([, , id]) => id),
  );
}

const sessionsOf = (db: LmdbLayout, ids: readonly string[]): Session[] =>
  ids.map((id) => db.sessions.get(id)).filter((session) => session !== undefined);

/** A session for which one of the instances has no row yet is loaded with all rows: one of them may have to make room. */
function reported(db: LmdbLayout, rows: Loads["report"]["wanted"]): ReadonlyMap<string, SessionRecord> {
  const found = new Map<string, SessionRecord>();
  const whole = new Set<string>();
  for (const { sessionId, edge, instance } of rows) {
    const session = found.get(sessionId)?.session ?? db.sessions.get(sessionId);
    if (session === undefined || whole.has(sessionId)) continue;
    const row = rowOf(db, sessionId, { edge, instance });
    if (row === undefined) whole.add(sessionId);
    const known = row === undefined ? usageRows(db, sessionId) : [...(found.get(sessionId)?.rows ?? []), row];
    found.set(sessionId, { session, rows: known });
  }
  return found;
}

/** Ids of the sessions meant, in the order of their creation, or against it. */
function sessionIds(
  db: LmdbLayout,
  filter: RevocationFilter,
  range: { after?: string; reverse?: true; limit: number },
): string[] {
  const [index, name] = "userId" in filter ? [db.byUser, filter.userId] : [db.byOrg, filter.orgId];
  const [low, high] = [
    [name, range.after ?? ""],
    [name, AFTER_ALL_IDS],
  ];
  const { limit } = range;
  const options =
    range.reverse === true
      ? { start: high, end: low, reverse: true, limit }
      : { start: low, end: high, exclusiveStart: true, limit };
  return [...index.getKeys(options)].map(([, id]) => id);
}

/**
 * Those before the place in `meta` have been looked at; it moves on with the commit. A place far past the end is of a
 * clock that was ahead, or of a shorter retention: then all are looked at again.
 */
function withDetails({ sessions, meta }: LmdbLayout, createdBeforeMs: number, limit: number): Session[] {
  const place = (meta.get("metadataForgottenBefore") as string | undefined) ?? "";
  const end = sessionIdFloor(createdBeforeMs);
  const start = place < sessionIdCeiling(end) ? place : "";
  if (start >= end) return [];
  const old = [...sessions.getRange({ start, end, limit })];
  const last = old.at(-1);
  const isLastPage = last === undefined || old.length < limit;
  void meta.put("metadataForgottenBefore", isLastPage ? end : `${last.key}${AFTER_ALL_IDS}`);
  return old.map(({ value }) => value);
}
