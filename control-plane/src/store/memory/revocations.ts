// Revocations of all sessions of a user or an organisation, over a plain map.
import type { BulkRevocation } from "../../domain/stored.js";
import type { BulkRevocationStore } from "../../app/ports/revocation-ports.js";
import { shownRevocation } from "../../domain/stored.js";
import type { MemoryEngine } from "./engine.js";

export class MemoryRevocations implements BulkRevocationStore {
  constructor(private readonly engine: MemoryEngine) {}

  find(id: string): Promise<BulkRevocation | undefined> {
    const stored = this.engine.revocations.get(id);
    return Promise.resolve(stored && shownRevocation(stored));
  }

  unfinished(): Promise<string[]> {
    const all = [...this.engine.revocations.values()].filter(({ finishedAt }) => finishedAt === null);
    return Promise.resolve(all.map(({ id }) => id).sort());
  }

  forgetFinished(beforeMs: number, limit: number): Promise<number> {
    const all = [...this.engine.revocations.values()];
    const old = all.filter(({ createdAt, finishedAt }) => createdAt < beforeMs && finishedAt !== null).slice(0, limit);
    for (const { id } of old) this.engine.revocations.delete(id);
    return Promise.resolve(old.length);
  }
}
