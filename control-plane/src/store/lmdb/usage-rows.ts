// Sessions in LMDB with their fleet budgets and rows of usage: which instances hold one, when they asked for it, what they last
// reported.
import type { Session } from "../../domain/session.js";
import { activeSession } from "../../domain/stored.js";
import type { HeldRow, Instance, SessionRecord } from "../../domain/stored.js";
import type { LmdbLayout, StoredUsage, UsageOfSchema2 } from "./layout.js";

/** The session, active as of when it was last acquired too. */
export function findSession(db: LmdbLayout, id: string): Session | undefined {
  const found = findRecord(db, id);
  return found && activeSession(found);
}

export function findRecord(db: LmdbLayout, id: string): SessionRecord | undefined {
  const session = db.sessions.get(id);
  if (session === undefined) return undefined;
  const budget = db.leases.get(id);
  return { session, rows: usageRows(db, id), ...(budget && { budget }) };
}

export function usageRows(db: LmdbLayout, sessionId: string): HeldRow[] {
  return [...db.usage.getRange(rangeOfSession(sessionId))].map(({ key: [, edge, instance], value }) => {
    return { edge, instance, ...presentForm(value) };
  });
}

/** Of one instance. */
export function rowOf(db: LmdbLayout, sessionId: string, { edge, instance }: Instance): HeldRow | undefined {
  const stored = db.usage.get([sessionId, edge, instance]);
  return stored === undefined ? undefined : { edge, instance, ...presentForm(stored) };
}

/** A row as the present schema has it. */
function presentForm(row: StoredUsage | UsageOfSchema2): StoredUsage {
  if (row !== null && "acquiredAtMs" in row) return row;
  // An acquire set the session's own last activity then.
  return { acquiredAtMs: 0, figures: row };
}

/** Every key that begins with the session's id: ids are of one length, and end in a hex digit. */
export function rangeOfSession(sessionId: string): { start: string[]; end: string[] } {
  return { start: [sessionId], end: [`${sessionId}~`] };
}
