// The audit log: a stream whose entries are numbered from 1 on without a gap, the oldest dropped first.
import type { AuditBounds, AuditEntry, AuditStore } from "../../../app/ports/audit-ports.js";
import type { AuditEvent } from "../../../domain/stored.js";
import { entriesToTrim } from "../../../domain/trimming.js";
import type { Reply } from "../connection/client.js";
import { KEYS } from "../keys.js";
import type { Reads } from "../reading/reads.js";
import type { Commits } from "../writing/commits.js";

const LOOKED_AT = 1000;

export class RedisAudit implements AuditStore {
  constructor(
    private readonly reads: Reads,
    private readonly commits: Commits,
  ) {}

  async appendAudit(event: AuditEvent): Promise<void> {
    await this.commits.run([], [["AUDIT", JSON.stringify(event)]]);
  }

  async auditBefore(before: number | undefined, limit: number): Promise<AuditEntry[]> {
    const end = before === undefined ? "+" : `(${before}-0`;
    return auditEntriesIn(await this.reads.command(["XREVRANGE", KEYS.audit, end, "-", "COUNT", String(limit)]));
  }

  async trimAudit(bounds: AuditBounds, limit: number): Promise<number> {
    const last = (await this.auditBefore(undefined, 1))[0]?.number ?? 0;
    const reply = await this.reads.command(["XRANGE", KEYS.audit, "-", `(${last}-0`, "COUNT", String(LOOKED_AT)]);
    // The last one stays whatever its age, as in every engine.
    const aged = auditEntriesIn(reply).map(({ number, at }) => {
      return { number, atMs: at, isSurplus: number <= last - bounds.maxEntries };
    });
    const going = entriesToTrim(aged, bounds, limit);
    const lastToGo = aged[going - 1];
    if (lastToGo !== undefined) {
      await this.commits.run([], [["XTRIM", KEYS.audit, "MINID", `${lastToGo.number + 1}-0`]], "taken");
    }
    return going;
  }
}

/** As XRANGE and XREVRANGE give them. */
export function auditEntriesIn(reply: Reply): AuditEntry[] {
  return (reply as readonly [id: string, fields: readonly [string, string]][]).map(([id, [, event]]) => {
    return { number: Number.parseInt(id, 10), ...(JSON.parse(event) as AuditEvent) };
  });
}
