// The store of a run: one server behind a network that can be stalled, or a primary and its replica under Sentinel.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { nodeTimers } from "../../../control-plane/src/files/node-timers.js";
import { createRedisStore } from "../../../control-plane/src/store/redis/create-store.js";
import { SentinelSet } from "../../../control-plane/test/support/servers/sentinel-set.js";
import { StoreServer } from "../../../control-plane/test/support/servers/store-server.js";
import { TcpProxy } from "../../../control-plane/test/support/servers/tcp-proxy.js";
import { Failure } from "../../../scripts/failure.js";
import { findServer, type ServerProgram } from "../../../scripts/test/get-store-servers.js";
import { serverAddress } from "../../bench/stores/stores.js";
import { STORES, type StoreName } from "../arguments.js";
import type { Ends } from "./site.js";

export interface FleetStore {
  /** As SLUICE_STORE takes it. */
  readonly url: string;
  /** Of the server itself, past the network. */
  readonly port: number;
  /** For so long nothing gets through, and nothing is lost. */
  stall(ms: number): Promise<void>;
  /** Kills the server and starts it again with what is in its append-only file. */
  kill(): Promise<void>;
  /** Kills the primary. Resolves once its replica has taken over and the old one follows. */
  failOver(): Promise<void>;
}

/** Every write is on the disk before it is answered. */
const DURABLE = { appendonly: true, appendfsync: "always" } as const;
const GONE_MS = 500;

export async function startStore(name: StoreName, withSentinels: boolean, ends: Ends): Promise<FleetStore> {
  const found = await findServer(STORES[name]);
  if ("reason" in found) throw new Failure(found.reason);
  return withSentinels ? underSentinel(found.program, ends) : alone(found.program, ends);
}

async function alone(program: ServerProgram, ends: Ends): Promise<FleetStore> {
  const server = await StoreServer.start(program, DURABLE);
  await ends.add(() => server.remove());
  const proxy = await TcpProxy.listen(server.port);
  await ends.add(() => proxy.close());
  await init(server.port);
  return {
    url: `redis://127.0.0.1:${proxy.port}`,
    port: server.port,
    stall: async (ms) => {
      proxy.stall();
      await delay(ms);
      proxy.resume();
    },
    kill: async () => {
      await server.kill();
      await delay(GONE_MS);
      await server.restart();
    },
    failOver: () => Promise.reject(new Error("a server alone has no replica")),
  };
}

async function underSentinel(program: ServerProgram, ends: Ends): Promise<FleetStore> {
  const set = await SentinelSet.start(program, { server: DURABLE });
  await ends.add(() => set.remove());
  const [{ server }] = set.members;
  await init(server.port);
  const inTurn = async (): Promise<void> => {
    const primary = await set.primary();
    await primary.server.kill();
    await set.failedOver(primary);
    await primary.server.restart();
  };
  return {
    ...{ url: set.url, port: server.port, failOver: inTurn },
    stall: () => Promise.reject(new Error("this fault is of a server alone")),
    kill: () => Promise.reject(new Error("this fault is of a server alone")),
  };
}

/** As `sluice store init` does. */
async function init(port: number): Promise<void> {
  await createRedisStore(serverAddress(port), { bytes: (n) => randomBytes(n) }, nodeTimers);
}
