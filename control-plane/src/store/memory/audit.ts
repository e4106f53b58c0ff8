// The audit log over a list: entries numbered from 1 on without a gap, the oldest dropped first.
import type { AuditEvent } from "../../domain/stored.js";
import { entriesToTrim } from "../../domain/trimming.js";
import type { AuditBounds, AuditEntry, AuditStore } from "../../app/ports/audit-ports.js";
import type { MemoryEngine } from "./engine.js";

export class MemoryAudit implements AuditStore {
  constructor(private readonly engine: MemoryEngine) {}

  appendAudit(event: AuditEvent): Promise<void> {
    this.engine.audit.push(event);
    return Promise.resolve();
  }

  auditBefore(before = Infinity, limit: number): Promise<AuditEntry[]> {
    const listed = this.engine
      .auditEntries()
      .filter(({ number }) => number < before)
      .reverse();
    return Promise.resolve(listed.slice(0, limit));
  }

  trimAudit(bounds: AuditBounds, limit: number): Promise<number> {
    const { audit } = this.engine;
    // The last one stays whatever its age: the next takes its number from it.
    const aged = audit.slice(0, -1).map(({ at }, i) => {
      return { atMs: at, isSurplus: i < audit.length - bounds.maxEntries };
    });
    const going = entriesToTrim(aged, bounds, limit);
    audit.splice(0, going);
    this.engine.auditDropped += going;
    return Promise.resolve(going);
  }
}
