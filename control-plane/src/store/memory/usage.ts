// Who holds a session and what instances reported of it, over plain maps.
import type { UsageRow } from "../../domain/stored.js";
import type { UsageStore } from "../../app/ports/usage-ports.js";
import type { HoldState } from "../../domain/decisions/hold-session.js";
import { allRows } from "../../domain/former-rows.js";
import type { MemoryEngine } from "./engine.js";
import { recordOf } from "./records.js";

export class MemoryUsage implements UsageStore {
  constructor(private readonly engine: MemoryEngine) {}

  look(sessionId: string): Promise<HoldState> {
    return Promise.resolve(this.engine.load("session", sessionId).found);
  }

  rowsOf(sessionId: string): Promise<readonly UsageRow[]> {
    const stored = this.engine.sessions.get(sessionId);
    const rows = stored === undefined ? [] : allRows(recordOf(stored).rows);
    return Promise.resolve(rows.map(({ edge, instance, figures }) => ({ edge, instance, figures })));
  }

  plansInUse(): Promise<readonly number[]> {
    const plans = new Set([...this.engine.sessions.values()].map(({ session }) => session.plan.id));
    return Promise.resolve([...plans].sort((a, b) => a - b));
  }

  forgetConsumptions(beforeMs: number, limit: number): Promise<number> {
    const { sessions } = this.engine;
    const old = [...sessions].flatMap(([id, { consumptionKeys }]) =>
      [...consumptionKeys].filter(([, { atMs }]) => atMs < beforeMs).map(([key]) => [id, key] as const),
    );
    for (const [id, key] of old.slice(0, limit)) {
      const stored = sessions.get(id);
      if (stored === undefined) continue;
      const consumptionKeys = new Map(stored.consumptionKeys);
      consumptionKeys.delete(key);
      sessions.set(id, { ...stored, consumptionKeys });
    }
    return Promise.resolve(Math.min(old.length, limit));
  }
}
