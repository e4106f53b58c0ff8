// Stores what is known of edges' instances, coarsely and beside the calls: no answer waits for it.
import type { Instance } from "../../../domain/stored.js";
import { instanceKey } from "../../../domain/stored.js";
import { setImmediate as nextTurnOfLoop } from "node:timers/promises";

import type { EdgeStatus, EdgeStatusStore, WatchSaid } from "../../ports/edge-status-ports.js";
import type { Timers } from "../../ports/log-ports.js";
import type { Clock, Logger } from "../../ports/ports.js";
import { logStoreFailure } from "../../upkeep/store-keeping.js";
import type { EdgeRegistry } from "./edge-registry.js";

/** A change of an instance's state is stored after about so long. */
export const STATE_STORED_WITHIN_MS = 1_000;
/** How old the rest of what is stored may be, the time of the last contact above all. */
export const CONTACT_STORED_WITHIN_MS = 30_000;
/** Instances a transaction: some milliseconds. */
const CHUNK = 500;

export interface StatusRecorderParts {
  readonly registry: Pick<EdgeRegistry, "onChanged" | "statusToStore">;
  readonly store: Pick<EdgeStatusStore, "write">;
  /** What the store holds. */
  readonly stored: readonly EdgeStatus[];
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Looks each second. Returns how to end that, with everything stored that is known by then. */
export function startStatusRecorder(parts: StatusRecorderParts): () => Promise<void> {
  const recorder = new StatusRecorder(parts);
  let stopped = false;
  let cancel = (): void => undefined;
  let underWay: Promise<void> = Promise.resolve();
  const next = (): void => {
    cancel = parts.timers.after(STATE_STORED_WITHIN_MS, () => {
      underWay = recorder.look().then(() => {
        if (!stopped) next();
      });
    });
  };
  next();
  return async () => {
    stopped = true;
    cancel();
    await underWay;
    await recorder.storeAll();
  };
}

class StatusRecorder {
  private readonly stored = new Map<string, EdgeStatus>();
  /** Those whose state may not be as it is stored. */
  private readonly changed = new Map<string, Instance>();
  private allStoredAtMs: number;

  constructor(private readonly parts: StatusRecorderParts) {
    this.allStoredAtMs = parts.clock.monotonicMs();
    for (const status of parts.stored) {
      this.stored.set(instanceKey(status), status);
      // This process holds no watch of it yet, and may not even remember it.
      this.changed.set(instanceKey(status), status);
    }
    parts.registry.onChanged((instance) => this.changed.set(instanceKey(instance), instance));
  }

  async look(): Promise<void> {
    const nowMs = this.parts.clock.monotonicMs();
    if (nowMs - this.allStoredAtMs >= CONTACT_STORED_WITHIN_MS) {
      this.allStoredAtMs = nowMs;
      await this.storeAll();
    } else {
      await this.store([...this.changed.values()], isStateOf);
    }
  }

  /** Also when the last contact of each was. */
  storeAll(): Promise<void> {
    const all = new Map<string, Instance>([...this.stored, ...this.changed]);
    return this.store([...all.values()], (one, other) => {
      return one.lastContactAtMs === other.lastContactAtMs && isStateOf(one, other);
    });
  }

  /** What could not be stored is tried again with the next look. */
  private async store(instances: readonly Instance[], isStored: typeof isStateOf): Promise<void> {
    try {
      for (let start = 0; start < instances.length; start += CHUNK) {
        if (start > 0) await nextTurnOfLoop();
        await this.storeSome(instances.slice(start, start + CHUNK), isStored);
      }
    } catch (error) {
      logStoreFailure(this.parts.logger, error, { event: "edge-status-failed" }, "the state of edges is not stored");
    }
  }

  private async storeSome(instances: readonly Instance[], isStored: typeof isStateOf): Promise<void> {
    const written: EdgeStatus[] = [];
    const gone: Instance[] = [];
    for (const instance of instances) {
      const key = instanceKey(instance);
      const before = this.stored.get(key);
      const now = this.parts.registry.statusToStore(instance);
      // What changes from here on is a change again, also while this is being written.
      if (now?.isSettled !== false) this.changed.delete(key);
      if (now === undefined && before !== undefined) gone.push(instance);
      if (now !== undefined && (before === undefined || !isStored(now.status, before))) written.push(now.status);
    }
    if (written.length === 0 && gone.length === 0) return;
    try {
      await this.parts.store.write(written, gone);
    } catch (error) {
      for (const instance of [...written, ...gone]) this.changed.set(instanceKey(instance), instance);
      throw error;
    }
    for (const status of written) this.stored.set(instanceKey(status), status);
    for (const instance of gone) this.stored.delete(instanceKey(instance));
  }
}

/** Whether the state is the same. */
const isStateOf = (one: EdgeStatus, other: EdgeStatus): boolean =>
  one.watching === other.watching && isSame(one.lastWatch, other.lastWatch);

/** But for the cursor and the number of records, which move all the time. */
function isSame(one: WatchSaid | undefined, other: WatchSaid | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const { policy, filter } = one;
  return (
    one.log === other.log &&
    one.follow === other.follow &&
    policy?.log === other.policy?.log &&
    policy?.generation === other.policy?.generation &&
    policy?.hash === other.policy?.hash &&
    policy?.state === other.policy?.state &&
    filter?.version === other.filter?.version &&
    filter?.build === other.filter?.build &&
    filter?.policyFormat === other.filter?.policyFormat
  );
}
