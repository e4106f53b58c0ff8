// The rows of usage in LMDB: which instances hold a session, when they asked for it, and what they last reported of it.
import type { Instance, UsageRow } from "../../app/ports/usage-ports.js";
import { withActivity } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import type { LmdbLayout, StoredUsage, UsageOfSchema2 } from "./layout.js";

export interface Row extends UsageRow {
  readonly acquiredAtMs: number;
}

/** Notes that the instance asked for the session, among the session's rows as read before. Inside `env.transaction`. */
export function holdRow(db: LmdbLayout, id: string, holder: Instance, rows: readonly Row[], atMs: number): void {
  const { edge, instance } = holder;
  const own = rows.find((row) => row.edge === edge && row.instance === instance);
  if (own !== undefined && own.acquiredAtMs >= atMs) return;
  void db.usage.put([id, edge, instance], { acquiredAtMs: atMs, figures: own?.figures ?? null });
}

/** The session as it is stored, active as of when it was last acquired too. */
export function findSession(db: LmdbLayout, id: string): Session | undefined {
  return findWithRows(db, id)?.session;
}

/** The same, with the rows that say so. */
export function findWithRows(db: LmdbLayout, id: string): { session: Session; rows: readonly Row[] } | undefined {
  const stored = db.sessions.get(id);
  if (stored === undefined) return undefined;
  const rows = usageRows(db, id);
  return { session: activeBy(stored, rows), rows };
}

/** The session, active as of these rows too. */
export function activeBy(session: Session, rows: readonly Row[]): Session {
  return rows.reduce((active, { acquiredAtMs }) => {
    return acquiredAtMs > active.lastActivity ? withActivity(active, acquiredAtMs) : active;
  }, session);
}

/** A row as the present schema has it. */
export function presentForm(row: StoredUsage | UsageOfSchema2): StoredUsage {
  if (row !== null && "acquiredAtMs" in row) return row;
  // An acquire set the session's own last activity then.
  return { acquiredAtMs: 0, figures: row };
}

export function usageRows(db: LmdbLayout, sessionId: string): Row[] {
  return [...db.usage.getRange(rangeOfSession(sessionId))].map(({ key: [, edge, instance], value }) => {
    return { edge, instance, ...presentForm(value) };
  });
}

/** Every key that begins with the session's id: ids are of one length, and end in a hex digit. */
export function rangeOfSession(sessionId: string): { start: string[]; end: string[] } {
  return { start: [sessionId], end: [`${sessionId}~`] };
}
