// The store of a single control plane: LMDB in a folder, safe against a kill at any moment.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { LogPosition, PolicyStore, Random, SessionStore, StoredPolicy } from "../app/ports.js";
import { withActivity } from "../domain/session.js";
import type { Session } from "../domain/session.js";
import { sessionIdFloor } from "../domain/session-id.js";
import { openLayout, SCHEMA } from "./lmdb-layout.js";
import type { LmdbLayout } from "./lmdb-layout.js";

const LOG_ID_BYTES = 16;
/** Counting is native but not free: about 1 ms for this many keys, then others get their turn. */
const COUNT_CHUNK = 10_000;

/**
 * For one process: another one would read what this wrote a turn of its event loop later. Writes of one event turn
 * share a commit, so a transaction here refuses before its first write: what it wrote before it threw would be
 * committed with the others.
 */
export class LmdbStore implements SessionStore, PolicyStore {
  private constructor(
    private readonly db: LmdbLayout,
    private readonly log: string,
  ) {}

  /** Opens the folder, or makes it ready for use. A rejection if another schema stands there. */
  static async open(folder: string, random: Random): Promise<LmdbStore> {
    const db = openLayout(folder);
    const log = await db.env.transaction(() => {
      const schema = db.meta.get("schema");
      if (schema !== undefined) return schema === SCHEMA ? (db.meta.get("log") as string) : undefined;
      const fresh = Buffer.from(random.bytes(LOG_ID_BYTES)).toString("hex");
      void db.meta.put("schema", SCHEMA);
      void db.meta.put("log", fresh);
      void db.meta.put("cursor", 0);
      return fresh;
    });
    if (log !== undefined) return new LmdbStore(db, log);
    const found = db.meta.get("schema") as number;
    await db.env.close();
    throw new Error(`the store in ${folder} has schema ${found}, this program reads schema ${SCHEMA}`);
  }

  async create(session: Session): Promise<void> {
    const { id, userId, orgId, plan, lastActivity } = session;
    const created = await this.db.env.transaction(() => {
      if (this.db.sessions.doesExist(id)) return false;
      void this.db.sessions.put(id, session);
      void this.db.byUser.put([userId, id], true);
      void this.db.byOrg.put([orgId, id], true);
      void this.db.byPlan.put([plan.id, id], true);
      void this.db.byActivity.put([plan.id, lastActivity, id], true);
      return true;
    });
    if (!created) throw new Error(`session ${id} exists`);
  }

  find(id: string): Promise<Session | undefined> {
    return Promise.resolve(this.db.sessions.get(id));
  }

  recordActivity(id: string, atMs: number): Promise<Session | undefined> {
    return this.db.env.transaction(() => {
      const session = this.db.sessions.get(id);
      if (session === undefined || session.revokedAt !== null || session.lastActivity >= atMs) return session;
      const active = withActivity(session, atMs);
      void this.db.sessions.put(id, active);
      return active;
    });
  }

  revoke(id: string, atMs: number): Promise<{ newly: boolean; session: Session } | undefined> {
    return this.db.env.transaction(() => {
      const session = this.db.sessions.get(id);
      if (session === undefined) return undefined;
      if (session.revokedAt !== null) return { newly: false, session };
      const revoked = { ...session, revokedAt: atMs };
      const cursor = this.cursor() + 1;
      void this.db.sessions.put(id, revoked);
      void this.db.byPlan.remove([session.plan.id, id]);
      void this.db.withdrawals.put(cursor, { kind: "revoked", sessionId: id, atMs });
      void this.db.meta.put("cursor", cursor);
      return { newly: true, session: revoked };
    });
  }

  position(): Promise<LogPosition> {
    return Promise.resolve({ log: this.log, cursor: this.cursor() });
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

  async savePolicy(policy: StoredPolicy): Promise<void> {
    await this.db.meta.put("policy", policy);
  }

  close(): Promise<void> {
    return this.db.env.close();
  }

  private cursor(): number {
    return this.db.meta.get("cursor") as number;
  }
}
