// The stores that are compared: LMDB in a folder, Redis 7 and Valkey 9 with each write on the disk before it is answered.
import { randomBytes } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import type { CopyTarget } from "../../../control-plane/src/store/copy/store-image.js";
import { STORE_FILE } from "../../../control-plane/src/store/lmdb/layout.js";
import { openCopyTarget } from "../../../control-plane/src/store/open-images.js";
import type { RedisAddress, StoreAddress } from "../../../control-plane/src/store/store-address.js";
import type { ServerOptions } from "../../../control-plane/test/support/servers/server-settings.js";
import { StoreServer } from "../../../control-plane/test/support/servers/store-server.js";
import { Failure } from "../../../scripts/failure.js";
import { findServer } from "../../../scripts/test/get-store-servers.js";
import type { Bench } from "./bench.js";
import { nodeTimers } from "../../../control-plane/src/files/node-timers.js";
import { startPlane } from "./planes.js";
import type { Plane } from "./planes.js";

export const SHARED_NAMES = ["Redis 7", "Valkey 9"] as const;
export type SharedName = (typeof SHARED_NAMES)[number];
const FIGURES = { "Redis 7": "redis", "Valkey 9": "valkey" } as const;

const DURABLE: ServerOptions = { appendonly: true, appendfsync: "always" };

const parts = { random: { bytes: (n: number) => randomBytes(n) }, timers: nodeTimers };

/** Of one on this machine that lets in whoever calls. */
export const serverAddress = (port: number): RedisAddress => ({
  ...{ engine: "redis", hosts: [{ host: "127.0.0.1", port }], sentinel: null, tls: null, database: 0, replicas: 0 },
  ...{ username: null, password: null, setting: "SLUICE_STORE", shown: `redis://127.0.0.1:${port}` },
});

export interface ComparedStore {
  readonly name: "LMDB" | SharedName;
  /** What its figures are named by. */
  readonly figure: "lmdb" | "redis" | "valkey";
  /** As `sluice store copy` takes it. */
  readonly shown: string;
  /** Undefined for LMDB, whose work is done in the control plane. */
  readonly server: StoreServer | undefined;
  target(): Promise<CopyTarget>;
  plane(): Promise<Plane>;
  /** Of the store's files. */
  readonly bytesOnDisk: () => Promise<number>;
}

export function lmdbStore(bench: Bench, label: string): ComparedStore {
  const dataDir = join(bench.folder, label);
  mkdirSync(dataDir, { recursive: true });
  const address: StoreAddress = { engine: "lmdb", dataDir, setting: "SLUICE_DATA_DIR", shown: dataDir };
  return {
    name: "LMDB",
    figure: "lmdb",
    shown: `lmdb:${dataDir}`,
    server: undefined,
    target: () => openCopyTarget(address, parts),
    plane: () => startPlane(bench, `${label}-plane`, { SLUICE_DATA_DIR: dataDir }),
    bytesOnDisk: () => Promise.resolve(statSync(join(dataDir, STORE_FILE), { throwIfNoEntry: false })?.size ?? 0),
  };
}

export async function sharedStore(bench: Bench, name: SharedName, options = DURABLE): Promise<ComparedStore> {
  const found = await findServer(name);
  if ("reason" in found) throw new Failure(found.reason);
  const server = await StoreServer.start(found.program, options);
  bench.atEnd(() => server.remove());
  const { url, port } = server;
  const address = serverAddress(port);
  let planes = 0;
  return {
    ...{ name, figure: FIGURES[name], shown: url, server },
    target: () => openCopyTarget(address, parts),
    plane: () => startPlane(bench, `${name}-plane-${++planes}-${port}`.replace(" ", "-"), { SLUICE_STORE: url }),
    bytesOnDisk: async () => Number(await server.info("aof_current_size")),
  };
}

/** LMDB first, which the others are compared with. */
export async function allStores(bench: Bench, label: string): Promise<ComparedStore[]> {
  const shared = [];
  for (const name of SHARED_NAMES) shared.push(await sharedStore(bench, name));
  return [lmdbStore(bench, label), ...shared];
}
