// The audit log in LMDB: entries numbered from 1 on without a gap, the oldest dropped first.
import type { AuditEvent } from "../../domain/stored.js";
import { entriesToTrim } from "../../domain/trimming.js";
import type { AuditBounds, AuditEntry, AuditStore } from "../../app/ports/audit-ports.js";
import type { LmdbLayout } from "./layout.js";

/** To be called inside `commits.run`, beside the writes that it tells of. */
export function appendAudit(db: LmdbLayout, event: AuditEvent): void {
  const [last = 0] = db.audit.getKeys({ reverse: true, limit: 1 });
  void db.audit.put(last + 1, event);
}

export class LmdbAuditStore implements AuditStore {
  constructor(private readonly db: LmdbLayout) {}

  async appendAudit(event: AuditEvent): Promise<void> {
    await this.db.commits.run(() => {
      appendAudit(this.db, event);
    });
  }

  auditBefore(before: number | undefined, limit: number): Promise<AuditEntry[]> {
    const start = before === undefined ? {} : { start: before, exclusiveStart: true };
    const range = this.db.audit.getRange({ ...start, reverse: true, limit });
    return Promise.resolve([...range].map(({ key, value }) => ({ number: key, ...value })));
  }

  trimAudit(bounds: AuditBounds, limit: number): Promise<number> {
    const { audit } = this.db;
    return this.db.commits.run(() => {
      // The last one stays whatever its age: the next takes its number from it.
      const [last = 0] = audit.getKeys({ reverse: true, limit: 1 });
      const aged = audit.getRange({ end: last }).map(({ key, value }) => {
        return { atMs: value.at, isSurplus: key <= last - bounds.maxEntries };
      });
      const going = entriesToTrim(aged, bounds, limit);
      if (going > 0) for (const key of [...audit.getKeys({ limit: going })]) void audit.remove(key);
      return going;
    });
  }
}
