// Revocations of all sessions of a user or an organisation, in LMDB.
import type { BulkRevocation } from "../../domain/stored.js";
import type { BulkRevocationStore } from "../../app/ports/revocation-ports.js";
import { sessionIdFloor } from "../../domain/session-id.js";
import { shownRevocation } from "../../domain/stored.js";
import type { LmdbLayout } from "./layout.js";

export class LmdbRevocations implements BulkRevocationStore {
  constructor(private readonly db: LmdbLayout) {}

  find(id: string): Promise<BulkRevocation | undefined> {
    const stored = this.db.revocations.get(id);
    return Promise.resolve(stored && shownRevocation(stored));
  }

  unfinished(): Promise<string[]> {
    const all = [...this.db.revocations.getRange()];
    return Promise.resolve(all.filter(({ value }) => value.finishedAt === null).map(({ key }) => key));
  }

  forgetFinished(beforeMs: number, limit: number): Promise<number> {
    return this.db.commits.run(() => {
      const old = [...this.db.revocations.getRange({ end: sessionIdFloor(beforeMs), limit })];
      const finished = old.filter(({ value }) => value.finishedAt !== null);
      for (const { key } of finished) void this.db.revocations.remove(key);
      return finished.length;
    });
  }
}
