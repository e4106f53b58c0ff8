// Stores that an instance is there before it is given a session: whoever revokes that at another process must wait for it.
import type { Instance } from "../../../domain/stored.js";
import { instanceKey } from "../../../domain/stored.js";
import { SharedRuns } from "./shared-runs.js";

export interface FirstContactsParts {
  /** Whether other processes can read by now that it is there. */
  readonly isStored: (instance: Instance) => boolean;
  /** Rejects where they cannot be stored. */
  readonly store: (instances: readonly Instance[]) => Promise<void>;
}

/** One write at a time, with all that have come meanwhile. */
export class FirstContacts {
  private waiting = new Map<string, Instance>();
  private readonly writes = new SharedRuns(() => {
    const those = [...this.waiting.values()];
    this.waiting = new Map();
    return this.parts.store(those);
  });

  constructor(private readonly parts: FirstContactsParts) {}

  /** Undefined: it is stored. @throws (a rejection) what keeps it from being stored */
  stored(instance: Instance): Promise<void> | undefined {
    if (this.parts.isStored(instance)) return undefined;
    this.waiting.set(instanceKey(instance), instance);
    return this.writes.ask();
  }
}
