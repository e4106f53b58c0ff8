// Stores that an instance is there before it is given a session: whoever revokes that at another process must wait for it.
import type { Instance } from "../../../domain/stored.js";
import { instanceKey } from "../../../domain/stored.js";

export interface FirstContactsParts {
  /** Whether other processes can read by now that it is there. */
  readonly isStored: (instance: Instance) => boolean;
  /** Rejects where they cannot be stored. */
  readonly store: (instances: readonly Instance[]) => Promise<void>;
}

/** One write at a time, with all that have come meanwhile. */
export class FirstContacts {
  private waiting = new Map<string, Instance>();
  private next: Promise<void> | undefined;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly parts: FirstContactsParts) {}

  /** Undefined: it is stored. @throws (a rejection) what keeps it from being stored */
  stored(instance: Instance): Promise<void> | undefined {
    if (this.parts.isStored(instance)) return undefined;
    this.waiting.set(instanceKey(instance), instance);
    this.next ??= this.storeAfter(this.last);
    return this.next;
  }

  private async storeAfter(last: Promise<void>): Promise<void> {
    await last.catch(() => undefined);
    const those = [...this.waiting.values()];
    this.waiting = new Map();
    this.next = undefined;
    this.last = this.parts.store(those);
    await this.last;
  }
}
