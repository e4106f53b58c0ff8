// Revocation in LMDB: of one session, and of all of a user or an organisation in chunks.
import type { RangeOptions } from "lmdb";

import type { AuditEvent } from "../../app/ports/audit-ports.js";
import type {
  BulkRevocation,
  BulkRevocationStore,
  Expansion,
  RevocationFilter,
} from "../../app/ports/revocation-ports.js";
import type { Session } from "../../domain/session.js";
import { sessionIdFloor } from "../../domain/session-id.js";
import { appendAudit } from "./audit.js";
import type { LmdbLayout, StoredRevocation } from "./layout.js";
import { appendInvalidation, cursorOf } from "./invalidation-log.js";
import { unindexFromPlan } from "./session-index.js";

/** Revokes a session that is not. To be called inside `env.transaction`. Answers it as it then is. */
export function revokeNow(db: LmdbLayout, session: Session, atMs: number): Session {
  const revoked = { ...session, revokedAt: atMs };
  void db.sessions.put(session.id, revoked);
  unindexFromPlan(db, session);
  appendInvalidation(db, "revoked", session.id, atMs);
  return revoked;
}

export class LmdbRevocations implements BulkRevocationStore {
  constructor(private readonly db: LmdbLayout) {}

  begin(id: string, filter: RevocationFilter, atMs: number, audited?: AuditEvent): Promise<BulkRevocation> {
    return this.db.env.transaction(() => {
      const [newest] = this.ids(filter, { reverse: true, limit: 1 });
      const finishedAt = newest === undefined ? atMs : null;
      const cursor = cursorOf(this.db);
      const operation = { id, filter, createdAt: atMs, examined: 0, revoked: 0, finishedAt, cursor };
      void this.db.revocations.put(id, { ...operation, upTo: newest ?? "", doneTo: "" });
      if (audited !== undefined) appendAudit(this.db, audited);
      return operation;
    });
  }

  find(id: string): Promise<BulkRevocation | undefined> {
    const stored = this.db.revocations.get(id);
    return Promise.resolve(stored && shown(stored));
  }

  unfinished(): Promise<string[]> {
    const all = [...this.db.revocations.getRange()];
    return Promise.resolve(all.filter(({ value }) => value.finishedAt === null).map(({ key }) => key));
  }

  expand(id: string, chunk: number, atMs: number): Promise<Expansion | undefined> {
    return this.db.env.transaction(() => {
      const before = this.db.revocations.get(id);
      if (before === undefined) return undefined;
      if (before.finishedAt !== null) return { operation: shown(before), revoked: [] };
      const next = this.ids(before.filter, { after: before.doneTo, limit: chunk }).filter((one) => one <= before.upTo);
      const revoked: Session[] = [];
      for (const sessionId of next) {
        const session = this.db.sessions.get(sessionId);
        if (session === undefined || session.revokedAt !== null) continue;
        revokeNow(this.db, session, atMs);
        revoked.push(session);
      }
      const doneTo = next.at(-1) ?? before.upTo;
      const after: StoredRevocation = {
        ...before,
        doneTo,
        examined: before.examined + next.length,
        revoked: before.revoked + revoked.length,
        finishedAt: next.length < chunk || doneTo === before.upTo ? atMs : null,
        cursor: cursorOf(this.db),
      };
      void this.db.revocations.put(id, after);
      return { operation: shown(after), revoked };
    });
  }

  forgetFinished(beforeMs: number, limit: number): Promise<number> {
    return this.db.env.transaction(() => {
      const old = [...this.db.revocations.getRange({ end: sessionIdFloor(beforeMs), limit })];
      const finished = old.filter(({ value }) => value.finishedAt !== null);
      for (const { key } of finished) void this.db.revocations.remove(key);
      return finished.length;
    });
  }

  /** Ids of the sessions meant, in the order of their creation. */
  private ids(filter: RevocationFilter, range: { after?: string; reverse?: true; limit: number }): string[] {
    const [index, name] = "userId" in filter ? [this.db.byUser, filter.userId] : [this.db.byOrg, filter.orgId];
    const [low, high] = [
      [name, range.after ?? ""],
      [name, AFTER_ALL_IDS],
    ];
    const { limit } = range;
    const options: RangeOptions =
      range.reverse === true
        ? { start: high, end: low, reverse: true, limit }
        : { start: low, end: high, exclusiveStart: true, limit };
    return [...index.getKeys(options)].map(([, id]) => id);
  }
}

/** Sorts after every session id. */
const AFTER_ALL_IDS = "~";

function shown({ upTo: _upTo, doneTo: _doneTo, ...operation }: StoredRevocation): BulkRevocation {
  return operation;
}
