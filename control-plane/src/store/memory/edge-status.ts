// What edges' instances last said, in a map, for tests. Passes the same contract as the real one.
import type { Instance } from "../../domain/stored.js";
import { instanceKey } from "../../domain/stored.js";
import type { EdgeStatus, EdgeStatusStore } from "../../app/ports/edge-status-ports.js";

/** Of a process that has the store alone. */
export class MemoryEdgeStatus implements EdgeStatusStore {
  private readonly rows = new Map<string, EdgeStatus>();

  all(): Promise<readonly EdgeStatus[]> {
    return Promise.resolve([...this.rows.values()]);
  }

  write(changed: readonly EdgeStatus[], gone: readonly Instance[]): Promise<void> {
    for (const one of gone) this.rows.delete(instanceKey(one));
    for (const status of changed) this.rows.set(instanceKey(status), status);
    return Promise.resolve();
  }
}
