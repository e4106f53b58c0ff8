// What edges' instances last said, in LMDB.
import type { Instance } from "../../domain/stored.js";
import type { EdgeStatus, EdgeStatusStore } from "../../app/ports/edge-status-ports.js";
import type { LmdbLayout } from "./layout.js";

export class LmdbEdgeStatus implements EdgeStatusStore {
  constructor(private readonly db: LmdbLayout) {}

  all(): Promise<readonly EdgeStatus[]> {
    return Promise.resolve([...this.db.edgeStatus.getRange()].map(({ value }) => value));
  }

  async write(changed: readonly EdgeStatus[], gone: readonly Instance[]): Promise<void> {
    const { edgeStatus, commits } = this.db;
    await commits.run(() => {
      for (const { edge, instance } of gone) void edgeStatus.remove([edge, instance]);
      for (const status of changed) void edgeStatus.put([status.edge, status.instance], status);
    });
  }
}
