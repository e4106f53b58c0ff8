// Stores up to where edges' tables are marked, soon after they say so: somebody may wait for that at another process.
import type { Instance } from "../../../domain/stored.js";
import { instanceKey } from "../../../domain/stored.js";
import type { EdgeCursor, SharedStatuses } from "../../ports/edge-status-ports.js";
import type { Timers } from "../../ports/log-ports.js";
import type { Logger } from "../../ports/ports.js";
import { logStoreFailure } from "../../upkeep/store-keeping.js";

/** What is said within so long is stored in one. */
const STORED_WITHIN_MS = 100;
const TRIED_AGAIN_AFTER_MS = 1_000;
/** Cursors a transaction: some milliseconds. */
const CHUNK = 1_000;

export interface CursorNotesParts {
  readonly shared: Pick<SharedStatuses, "noteCursors">;
  /** Whether anybody reads them. */
  readonly areRead: () => boolean;
  readonly timers: Timers;
  readonly logger: Logger;
}

export class CursorNotes {
  /** By instance: the latest. */
  private noted = new Map<string, EdgeCursor>();
  private cancel: (() => void) | undefined;
  private underWay: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly parts: CursorNotesParts) {}

  note(cursor: EdgeCursor): void {
    if (this.stopped || !this.parts.areRead()) return;
    this.noted.set(instanceKey(cursor), cursor);
    this.storeIn(STORED_WITHIN_MS);
  }

  /** It is gone, and not to be written any more. */
  drop(instance: Instance): void {
    this.noted.delete(instanceKey(instance));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await this.underWay;
  }

  private storeIn(ms: number): void {
    this.cancel ??= this.parts.timers.after(ms, () => {
      this.underWay = this.store().then((isStored) => {
        this.cancel = undefined;
        if (this.noted.size > 0 && !this.stopped) this.storeIn(isStored ? STORED_WITHIN_MS : TRIED_AGAIN_AFTER_MS);
      });
    });
  }

  /** One at a time: what is noted meanwhile comes after it. */
  private async store(): Promise<boolean> {
    const taken = this.noted;
    this.noted = new Map();
    const all = [...taken];
    try {
      for (let start = 0; start < all.length; start += CHUNK) {
        const some = all.slice(start, start + CHUNK);
        await this.parts.shared.noteCursors(some.map(([, cursor]) => cursor));
        for (const [key] of some) taken.delete(key);
      }
      return true;
    } catch (error) {
      this.noted = new Map([...taken, ...this.noted]);
      const fields = { event: "edge-status-failed" };
      logStoreFailure(this.parts.logger, error, fields, "cursors of edges are not stored");
      return false;
    }
  }
}
