// What a session's life is lived over: a store of each engine, which can be opened again, backed up and looked into.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";

import type { Random } from "../../src/app/ports/ports.js";
import type { Stores } from "../../src/app/ports/stores.js";
import { backUpStore, restoreStore } from "../../src/store/lmdb/backup.js";
import { LmdbStore } from "../../src/store/lmdb/store.js";
import type { LmdbLayout } from "../../src/store/lmdb/layout.js";
import { createRedisStore } from "../../src/store/redis/create-store.js";
import { RedisStore } from "../../src/store/redis/store.js";
import { nodeTimers } from "../../src/files/node-timers.js";
import { quiet } from "../support/quiet-logger.js";
import { serverAt, uncounted } from "../support/redis-store.js";

export interface LifeEngine {
  /** So many have the store open at a time, each of which does every other command. */
  readonly processes: 1 | 2;
  /** As each process does at its start. */
  open(random: Random): Promise<Stores>;
  /** Answers the backup's name. */
  backUp(): Promise<string>;
  /** With a log of a new name. The store is closed, by all. */
  restore(backup: string, random: Random): Promise<void>;
  /** Resolves once all that was committed has been told to whoever listens, and these have read it. */
  told(): Promise<void>;
  /** Where the store still names one of these sessions, but for an index by activity that a walk clears. */
  tracesOf(ids: readonly string[]): Promise<readonly string[]>;
  /** What of sessions the store holds. */
  kept(): Promise<readonly string[]>;
  end(): Promise<void>;
}

/** By a walk that meets what is out of date. */
const CLEARED_LATER = new Set(["byActivity", "consumptionsByTime"]);

export class LmdbLife implements LifeEngine {
  readonly processes = 1;
  private readonly folder = mkdtempSync(join(tmpdir(), "sluice-life-"));
  private readonly store = join(this.folder, "store");
  private backups = 0;
  private opened: LmdbStore | undefined;

  async open(random: Random): Promise<Stores> {
    this.opened = await LmdbStore.open(this.store, random);
    return this.opened;
  }

  async backUp(): Promise<string> {
    this.backups += 1;
    const file = join(this.folder, `backup-${this.backups}`);
    await backUpStore(this.store, file);
    return file;
  }

  async restore(backup: string, random: Random): Promise<void> {
    await restoreStore(backup, this.store, { force: true, random });
  }

  told(): Promise<void> {
    return Promise.resolve();
  }

  tracesOf(ids: readonly string[]): Promise<readonly string[]> {
    const named = ([name, database]: [string, Named]): boolean =>
      !CLEARED_LATER.has(name) &&
      [...database.getKeys()].some((key) => [key].flat().some((part) => ids.includes(String(part))));
    const databases = databasesIn(this.opened?.db);
    return Promise.resolve(
      Object.entries(databases)
        .filter(named)
        .map(([name]) => name),
    );
  }

  kept(): Promise<readonly string[]> {
    const databases = Object.entries(databasesIn(this.opened?.db));
    return Promise.resolve(databases.filter(([, one]) => [...one.getKeys()].length > 0).map(([name]) => name));
  }

  end(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    return Promise.resolve();
  }
}

interface Named {
  getKeys(): Iterable<unknown>;
}

function databasesIn(db: LmdbLayout | undefined): Record<string, Named> {
  if (db === undefined) throw new Error("the store is closed");
  const { sessions, byUser, byOrg, byIssuer, byIssuerAndUser, byPlan, byUserAndPlan, byActivity } = db;
  const indexes = { byUser, byOrg, byIssuer, byIssuerAndUser, byPlan, byUserAndPlan, byActivity };
  const { ended, usage, consumptions, consumptionsByTime } = db;
  return { sessions, ...indexes, ended, usage, consumptions, consumptionsByTime };
}

/** Of the databases of the server: the store's, and the first of the backups. */
const [STORE, FIRST_BACKUP] = [0, 1];
/** What there is beside sessions and what belongs to them. */
const NOT_OF_SESSIONS =
  /:(meta|log|audit|policies|decided|revocations|revoked|unfinished|created|createdAt|plans|beats|edges.*|claim:.*)$/;
const EMPTIED_LATER = /:(consumed)$/;

/** Over a real server that nobody else uses. */
export class RedisLife implements LifeEngine {
  readonly processes = 2;
  private readonly client;
  private backups = 0;
  private readonly opened: RedisStore[] = [];

  constructor(private readonly port: number) {
    this.client = createClient({ RESP: 2, socket: { host: "127.0.0.1", port, reconnectStrategy: false } });
    // What is lost is said by the command that is rejected; a run that took too long ends with its server.
    this.client.on("error", () => undefined);
  }

  async open(random: Random): Promise<Stores> {
    const address = serverAt(this.port);
    if (!this.client.isOpen) {
      await this.client.connect();
      await this.send("FLUSHALL");
      await createRedisStore(address, random, nodeTimers);
    }
    const parts = { address, random: secretly, timers: nodeTimers, logger: quiet, meter: uncounted };
    const store = await RedisStore.open(parts);
    this.opened.push(store);
    return store;
  }

  async backUp(): Promise<string> {
    const database = FIRST_BACKUP + (this.backups++ % 8);
    await this.copied(STORE, database);
    return String(database);
  }

  /** As a server is started again on a copy of its files: that is another life. */
  async restore(backup: string): Promise<void> {
    await this.copied(Number(backup), STORE);
    await this.send("HSET", "{sluice}:meta", "life", "another");
  }

  async told(): Promise<void> {
    for (const { invalidations: log } of this.opened.slice(-this.processes)) {
      // What another process has committed, this one knows by now.
      await log.position();
      await log.told();
      // Answers come in order: each that a listener waits for has come before the one that is asked for here.
      for (let reads = 0; reads < 4; reads++) await log.position();
    }
  }

  async tracesOf(ids: readonly string[]): Promise<readonly string[]> {
    const names = (await this.keys()).filter((key) => !NOT_OF_SESSIONS.test(key) && !EMPTIED_LATER.test(key));
    const held = await Promise.all(names.map((key) => this.names(key, ids)));
    return names.filter((_, i) => held[i]);
  }

  async kept(): Promise<readonly string[]> {
    return (await this.keys()).filter((key) => !NOT_OF_SESSIONS.test(key));
  }

  end(): Promise<void> {
    if (this.client.isOpen) this.client.destroy();
    return Promise.resolve();
  }

  private async copied(from: number, to: number): Promise<void> {
    await this.send("SELECT", String(to));
    await this.send("FLUSHDB");
    await this.send("SELECT", String(from));
    for (const key of await this.keys()) await this.send("COPY", key, key, "DB", String(to));
    await this.send("SELECT", String(STORE));
  }

  private async names(key: string, ids: readonly string[]): Promise<boolean> {
    if (ids.some((id) => key.endsWith(id))) return true;
    if ((await this.send("TYPE", key)) !== "zset") return false;
    const members = (await this.send("ZRANGE", key, "0", "-1")) as string[];
    return members.some((member) => ids.includes(member));
  }

  private async keys(): Promise<string[]> {
    return (await this.send("KEYS", "{sluice}:*")) as string[];
  }

  private send(...args: string[]): Promise<unknown> {
    return this.client.sendCommand(args);
  }
}

/** Its own: how often it asks does not depend on the run alone. */
const secretly: Random = { bytes: (n) => randomBytes(n) };
