// The rows of usage in LMDB: which instances hold a session, and what they last reported of it.
import type { Instance, UsageRow } from "../app/usage-ports.js";
import type { LmdbLayout } from "./lmdb-layout.js";

/** Notes that the instance holds the session. To be called inside `env.transaction`. */
export function holdSession(db: LmdbLayout, sessionId: string, { edge, instance }: Instance): void {
  const key: [string, string, string] = [sessionId, edge, instance];
  if (!db.usage.doesExist(key)) void db.usage.put(key, null);
}

export function usageRows(db: LmdbLayout, sessionId: string): UsageRow[] {
  return [...db.usage.getRange(rangeOfSession(sessionId))].map(({ key: [, edge, instance], value }) => {
    return { edge, instance, figures: value };
  });
}

/** Every key that begins with the session's id: ids are of one length, and end in a hex digit. */
export function rangeOfSession(sessionId: string): { start: string[]; end: string[] } {
  return { start: [sessionId], end: [`${sessionId}~`] };
}
