// Stores what is known of edges' instances, coarsely and beside the calls: no answer waits for it but an instance's first.
import type { Instance } from "../../../domain/stored.js";
import { instanceKey } from "../../../domain/stored.js";
import { setImmediate as nextTurnOfLoop } from "node:timers/promises";

import type { EdgeStatus, EdgeStatusStore } from "../../ports/edge-status-ports.js";
import type { Timers } from "../../ports/log-ports.js";
import type { Clock, Logger } from "../../ports/ports.js";
import { logStoreFailure } from "../../upkeep/store-keeping.js";
import { CursorNotes } from "../processes/cursor-notes.js";
import { FirstContacts } from "../processes/first-contacts.js";
import type { OtherProcesses } from "../processes/other-processes.js";
import type { EdgeRegistry } from "./edge-registry.js";
import { isStateOf } from "./same-status.js";

/** A change of an instance's state is stored after about so long. */
export const STATE_STORED_WITHIN_MS = 1_000;
/** How old the rest of what is stored may be, the time of the last contact above all. */
export const CONTACT_STORED_WITHIN_MS = 30_000;
/** The same where other processes decide by it: with two looks beside, it is far younger than a report may be. */
const READ_BY_OTHERS_WITHIN_MS = 5_000;
const SAME_CONTACT_MS = 500;
/** Well below the window within which an edge is not silent; what is stored of one that calls is not so old. */
const SHOWN_FOR_MS = 2 * READ_BY_OTHERS_WITHIN_MS;
/** Instances a transaction: some milliseconds. */
const CHUNK = 500;
/** Workers a transaction, of all its instances. */
const WORKERS_A_CHUNK = 5_000;

export interface StatusRecorderParts {
  readonly registry: Pick<EdgeRegistry, "onChanged" | "onCursor" | "statusToStore" | "storesFirst">;
  readonly store: Pick<EdgeStatusStore, "write" | "shared">;
  /** Undefined: this process has the store alone. */
  readonly others: Pick<OtherProcesses, "areThere" | "onLost"> | undefined;
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
    await recorder.stop();
  };
}

class StatusRecorder {
  private readonly stored = new Map<string, EdgeStatus>();
  /** Those whose state may not be as it is stored. */
  private readonly changed = new Map<string, Instance>();
  /** What is stored of them may be lost. */
  private readonly unsure = new Set<string>();
  /** When it was stored that they are there, monotonic. */
  private readonly writtenAtMs = new Map<string, number>();
  private allStoredAtMs: number;
  private readonly isRead: boolean;
  private readonly cursors: CursorNotes | undefined;

  constructor(private readonly parts: StatusRecorderParts) {
    this.allStoredAtMs = parts.clock.monotonicMs();
    for (const status of parts.stored) {
      this.stored.set(instanceKey(status), status);
      // This process holds no watch of it yet, and may not even remember it.
      this.changed.set(instanceKey(status), status);
    }
    parts.registry.onChanged((instance) => this.changed.set(instanceKey(instance), instance));
    const { others, registry, store, timers, logger } = parts;
    const { shared } = store;
    this.isRead = shared !== undefined;
    others?.onLost(() => {
      for (const [key, status] of this.stored) {
        this.changed.set(key, status);
        this.unsure.add(key);
      }
    });
    if (shared === undefined || others === undefined) return;
    const cursors = new CursorNotes({ shared, areRead: () => others.areThere(), timers, logger });
    this.cursors = cursors;
    registry.onCursor((cursor) => {
      cursors.note(cursor);
    });
    const isStored = (instance: Instance): boolean => this.isShown(instanceKey(instance));
    const contacts = new FirstContacts({ isStored, store: (instances) => this.storeThose(instances, () => false) });
    registry.storesFirst((instance) => contacts.stored(instance));
  }

  async stop(): Promise<void> {
    await this.cursors?.stop();
    await this.storeAll();
  }

  async look(): Promise<void> {
    const nowMs = this.parts.clock.monotonicMs();
    if (nowMs - this.allStoredAtMs >= (this.isRead ? READ_BY_OTHERS_WITHIN_MS : CONTACT_STORED_WITHIN_MS)) {
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
      return this.isContactOf(one, other) && isStateOf(one, other);
    });
  }

  /** Where the clock is the store's it is set right all the time, by some ms: that is no other contact. */
  private isContactOf(one: EdgeStatus, other: EdgeStatus): boolean {
    const apartMs = Math.abs(one.lastContactAtMs - other.lastContactAtMs);
    return this.isRead ? apartMs < SAME_CONTACT_MS : apartMs === 0;
  }

  /** What could not be stored is tried again with the next look. */
  private async store(instances: readonly Instance[], isStored: typeof isStateOf): Promise<void> {
    try {
      await this.storeThose(instances, isStored);
    } catch (error) {
      logStoreFailure(this.parts.logger, error, { event: "edge-status-failed" }, "the state of edges is not stored");
    }
  }

  private async storeThose(instances: readonly Instance[], isStored: typeof isStateOf): Promise<void> {
    for (let start = 0; start < instances.length;) {
      if (start > 0) await nextTurnOfLoop();
      start += await this.storeSome(instances.slice(start, start + CHUNK), isStored);
    }
  }

  /** Whether what is stored of it is there for certain. */
  private isSure(key: string): boolean {
    return this.stored.has(key) && !this.unsure.has(key);
  }

  /** Whether other processes take it to be there by what is stored: they pass over a former life of an Envoy, which says nothing. */
  private isShown(key: string): boolean {
    if (!this.isSure(key)) return false;
    const ageMs = this.parts.clock.monotonicMs() - (this.writtenAtMs.get(key) ?? -Infinity);
    return this.stored.get(key)?.watching === true || ageMs <= SHOWN_FOR_MS;
  }

  /** Answers how many it has looked at: fewer than there are where they have very many workers. */
  private async storeSome(instances: readonly Instance[], isStored: typeof isStateOf): Promise<number> {
    const written: EdgeStatus[] = [];
    const gone: Instance[] = [];
    let looked = 0;
    let workers = 0;
    for (const instance of instances) {
      if (workers >= WORKERS_A_CHUNK) break;
      looked += 1;
      const key = instanceKey(instance);
      const before = this.stored.get(key);
      const now = this.parts.registry.statusToStore(instance, this.isRead);
      // What changes from here on is a change again, also while this is being written.
      if (now?.isSettled !== false) this.changed.delete(key);
      if (now === undefined) this.cursors?.drop(instance);
      if (now === undefined && before !== undefined) gone.push(instance);
      if (now === undefined || (before !== undefined && this.isSure(key) && isStored(now.status, before))) continue;
      written.push(now.status);
      workers += now.status.detail?.workers.length ?? 0;
    }
    if (written.length === 0 && gone.length === 0) return looked;
    const nowMs = this.parts.clock.monotonicMs();
    try {
      await this.parts.store.write(written, gone);
    } catch (error) {
      for (const instance of [...written, ...gone]) this.changed.set(instanceKey(instance), instance);
      throw error;
    }
    for (const status of written) {
      this.stored.set(instanceKey(status), status);
      this.writtenAtMs.set(instanceKey(status), nowMs);
    }
    for (const instance of gone) {
      this.stored.delete(instanceKey(instance));
      this.writtenAtMs.delete(instanceKey(instance));
    }
    for (const instance of [...written, ...gone]) this.unsure.delete(instanceKey(instance));
    return looked;
  }
}
