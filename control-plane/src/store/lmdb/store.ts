// The store of a single control plane: LMDB in a folder, safe against a kill at any moment.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { AuditEvent, AuditStore } from "../../app/ports/audit-ports.js";
import type { OperatorStore } from "../../app/ports/operator-ports.js";
import type { LogPosition, PolicyStore, Random, SessionStore, StoredPolicy } from "../../app/ports/ports.js";
import type { BulkRevocationStore } from "../../app/ports/revocation-ports.js";
import type { UsageStore } from "../../app/ports/usage-ports.js";
import type { Session } from "../../domain/session.js";
import { sessionIdFloor } from "../../domain/session-id.js";
import { appendAudit, LmdbAuditStore } from "./audit.js";
import { openLayout } from "./layout.js";
import type { LmdbLayout } from "./layout.js";
import { LmdbLog } from "./invalidation-log.js";
import { LmdbOperatorStore } from "./operator.js";
import { LmdbRevocations, revokeNow } from "./revocations.js";
import { prepareSchema } from "./schema.js";
import { indexSession } from "./session-index.js";
import { findSession } from "./usage-rows.js";
import { LmdbUsage } from "./usage.js";

/** Counting is native but not free: about 1 ms for this many keys, then others get their turn. */
const COUNT_CHUNK = 10_000;

/**
 * For one process: another one would read what this wrote a turn of its event loop later. Writes of one event turn
 * share a commit, so a transaction here fails before its first write: what it wrote before it threw would be
 * committed with the others.
 */
export class LmdbStore implements SessionStore, PolicyStore {
  /** What edges must hear of. */
  readonly invalidations: LmdbLog;
  /** Of all sessions of a user or an organisation. */
  readonly revocations: BulkRevocationStore;
  /** For operators and login services. */
  readonly operator: OperatorStore;
  readonly audit: AuditStore;
  /** What edges report, and what ends by itself. */
  readonly usage: UsageStore;

  private constructor(
    /** For the parts of the store that stand beside this one. */
    readonly db: LmdbLayout,
    log: string,
  ) {
    this.invalidations = new LmdbLog(db, log);
    this.revocations = new LmdbRevocations(db);
    this.operator = new LmdbOperatorStore(db);
    this.audit = new LmdbAuditStore(db);
    this.usage = new LmdbUsage(db, log);
  }

  /** Opens the folder, or makes it ready for use. A rejection if its schema cannot be brought to this one. */
  static async open(folder: string, random: Random): Promise<LmdbStore> {
    const db = openLayout(folder);
    try {
      return new LmdbStore(db, await prepareSchema(db, random));
    } catch (error) {
      await db.env.close();
      throw error;
    }
  }

  async create(session: Session): Promise<void> {
    const { id } = session;
    const created = await this.db.env.transaction(() => {
      if (this.db.sessions.doesExist(id)) return false;
      void this.db.sessions.put(id, session);
      indexSession(this.db, session);
      return true;
    });
    if (!created) throw new Error(`session ${id} exists`);
  }

  find(id: string): Promise<Session | undefined> {
    return Promise.resolve(findSession(this.db, id));
  }

  revoke(id: string, atMs: number, audited?: AuditEvent): Promise<{ newly: boolean; session: Session } | undefined> {
    return this.db.env.transaction(() => {
      const session = this.db.sessions.get(id);
      if (session === undefined) return undefined;
      if (session.revokedAt !== null) return { newly: false, session };
      const revoked = revokeNow(this.db, session, atMs);
      if (audited !== undefined) appendAudit(this.db, audited);
      return { newly: true, session: revoked };
    });
  }

  position(): Promise<LogPosition> {
    return this.invalidations.position();
  }

  async countLive(planId: number, sinceMs: number): Promise<number> {
    const end: [number, string] = [planId + 1, ""];
    let start: [number, string] = [planId, sessionIdFloor(sinceMs)];
    let count = 0;
    for (;;) {
      const [next] = [...this.db.byPlan.getKeys({ start, end, offset: COUNT_CHUNK, limit: 1 })];
      if (next === undefined) return count + this.db.byPlan.getKeysCount({ start, end });
      count += COUNT_CHUNK;
      start = next;
      await nextTurn();
    }
  }

  loadPolicy(): Promise<StoredPolicy | undefined> {
    return Promise.resolve(this.db.meta.get("policy") as StoredPolicy | undefined);
  }

  savePolicy(policy: StoredPolicy, expectedGeneration: number, audited?: AuditEvent): Promise<boolean> {
    return this.db.env.transaction(() => {
      const stored = this.db.meta.get("policy") as StoredPolicy | undefined;
      if ((stored?.generation ?? 0) !== expectedGeneration) return false;
      void this.db.meta.put("policy", policy);
      if (audited !== undefined) appendAudit(this.db, audited);
      return true;
    });
  }

  close(): Promise<void> {
    this.invalidations.close();
    return this.db.env.close();
  }
}
