// Usage in LMDB: who holds a session and what instances reported of it, and keys of consumptions that are forgotten.
import type { UsageRow } from "../../domain/stored.js";
import type { UsageStore } from "../../app/ports/usage-ports.js";
import type { HoldState } from "../../domain/decisions/hold-session.js";
import { allRows } from "../../domain/former-rows.js";
import { lifeOf } from "./fleet-time.js";
import { cursorOf } from "./invalidation-log.js";
import type { LmdbLayout } from "./layout.js";
import { plansInUse } from "./sweep-pages.js";
import { findRecord, usageRows } from "./usage-rows.js";

export class LmdbUsage implements UsageStore {
  /** @param log the id of the store's log */
  constructor(
    private readonly db: LmdbLayout,
    private readonly log: string,
  ) {}

  /** Within one turn of the event loop, which is one moment. */
  look(sessionId: string): Promise<HoldState> {
    const position = { log: this.log, cursor: cursorOf(this.db) };
    return Promise.resolve({ found: findRecord(this.db, sessionId), position, life: lifeOf(this.db, this.log) });
  }

  rowsOf(sessionId: string): Promise<readonly UsageRow[]> {
    const rows = allRows(usageRows(this.db, sessionId));
    return Promise.resolve(rows.map(({ edge, instance, figures }) => ({ edge, instance, figures })));
  }

  plansInUse(): Promise<readonly number[]> {
    return Promise.resolve(plansInUse(this.db));
  }

  forgetConsumptions(beforeMs: number, limit: number): Promise<number> {
    const { consumptions, consumptionsByTime, commits } = this.db;
    return commits.run(() => {
      const old = [...consumptionsByTime.getKeys({ end: [beforeMs, "", ""], limit })];
      for (const [atMs, sessionId, key] of old) {
        void consumptionsByTime.remove([atMs, sessionId, key]);
        // The key may have been used again since.
        if (consumptions.get([sessionId, key])?.atMs === atMs) void consumptions.remove([sessionId, key]);
      }
      return old.length;
    });
  }
}
