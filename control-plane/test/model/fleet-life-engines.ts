// What the life of fleet budgets is lived over: a store of each engine that can fail over to what it was at an earlier moment.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Random } from "../../src/app/ports/ports.js";
import type { Stores } from "../../src/app/ports/stores.js";
import { nodeTimers } from "../../src/files/node-timers.js";
import { copyStore } from "../../src/store/copy/copy-store.js";
import { backUpStore, restoreStore } from "../../src/store/lmdb/backup.js";
import { LmdbStore } from "../../src/store/lmdb/store.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import { createRedisStore } from "../../src/store/redis/create-store.js";
import { RedisStore } from "../../src/store/redis/store.js";
import { quiet } from "../support/quiet-logger.js";
import { serverAt, uncounted } from "../support/redis-store.js";
import type { StoreServer } from "../support/servers/store-server.js";
import { until } from "../support/until.js";

export interface FleetEngine {
  /** Whether a control plane runs on while the store fails over. */
  readonly outlivesStore: boolean;
  /** A new store: as each of its control planes has it. */
  open(): Promise<readonly Stores[]>;
  /** The same for control planes that are started again. Those of before are closed. */
  reopen(): Promise<readonly Stores[]>;
  /** What a failover goes back to. */
  save(): Promise<void>;
  /** Another life of the store, as it was when it was saved. All are closed where they do not outlive it. */
  failOver(): Promise<readonly Stores[]>;
  end(): Promise<void>;
}

const random: Random = { bytes: (n) => randomBytes(n) };

/** Two control planes in one process; a failover is a copy, as `sluice store copy` makes it. */
export class MemoryFleet implements FleetEngine {
  readonly outlivesStore = true;
  private lives = 0;
  private store = this.next();
  private saved: MemoryStore | undefined;

  open(): Promise<readonly Stores[]> {
    return Promise.resolve([this.store, this.store.seenBy("another")]);
  }

  reopen(): Promise<readonly Stores[]> {
    return this.open();
  }

  async save(): Promise<void> {
    this.saved = await this.copyOf(this.store);
  }

  async failOver(): Promise<readonly Stores[]> {
    if (this.saved === undefined) throw new Error("nothing was saved");
    this.store = await this.copyOf(this.saved);
    return this.open();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  private next(): MemoryStore {
    this.lives += 1;
    return new MemoryStore(this.lives.toString(16).padStart(16, "0"));
  }

  private async copyOf(store: MemoryStore): Promise<MemoryStore> {
    const copy = this.next();
    const images = { source: store.image(), target: copy.image() };
    const copied = await copyStore({ ...images, monotonicMs: () => 0, say: () => undefined });
    if (!copied.ok) throw new Error(copied.reason);
    return copy;
  }
}

/** One control plane; a failover is a backup that is restored. */
export class LmdbFleet implements FleetEngine {
  readonly outlivesStore = false;
  private readonly folder = mkdtempSync(join(tmpdir(), "sluice-fleet-life-"));
  private readonly path = join(this.folder, "store");
  private backups = 0;

  async open(): Promise<readonly Stores[]> {
    return [await LmdbStore.open(this.path, random)];
  }

  reopen(): Promise<readonly Stores[]> {
    return this.open();
  }

  async save(): Promise<void> {
    this.backups += 1;
    await backUpStore(this.path, this.backup);
  }

  async failOver(): Promise<readonly Stores[]> {
    await restoreStore(this.backup, this.path, { force: true, random });
    return this.open();
  }

  end(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    return Promise.resolve();
  }

  private get backup(): string {
    return join(this.folder, `backup-${String(this.backups)}`);
  }
}

/** Two control planes over a real server, which is killed and comes back with what it had saved. */
export class RedisFleet implements FleetEngine {
  readonly outlivesStore = true;
  private opened: readonly RedisStore[] = [];

  constructor(private readonly server: StoreServer) {}

  async open(): Promise<readonly Stores[]> {
    await this.server.command("FLUSHALL");
    await createRedisStore(serverAt(this.server.port), random, nodeTimers);
    return this.reopen();
  }

  async reopen(): Promise<readonly Stores[]> {
    const parts = { address: serverAt(this.server.port), random, timers: nodeTimers, logger: quiet, meter: uncounted };
    this.opened = [await RedisStore.open(parts), await RedisStore.open(parts)];
    return this.opened;
  }

  async save(): Promise<void> {
    await this.server.command("SAVE");
  }

  async failOver(): Promise<readonly Stores[]> {
    const { log } = await this.first().position();
    await this.server.kill();
    await this.server.restart();
    // Each has noticed.
    for (const store of this.opened) {
      await until(async () => {
        if ((await store.position()).log === log) throw new Error("it is still the life before");
      });
    }
    return this.opened;
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  private first(): RedisStore {
    const [store] = this.opened;
    if (store === undefined) throw new Error("no control plane runs");
    return store;
  }
}
