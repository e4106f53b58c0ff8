// How long an update took is said of each, over each engine, and also of one that failed.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { nodeTimers } from "../../src/files/node-timers.js";
import { openStores } from "../../src/store/open-stores.js";
import { createRedisStore } from "../../src/store/redis/create-store.js";
import type { StoreAddress } from "../../src/store/store-address.js";
import { TimedUpdates } from "../../src/store/timed-updates.js";
import type { UpdatesAround } from "../../src/store/timed-updates.js";
import { quiet } from "../support/quiet-logger.js";
import { serverAt, uncounted } from "../support/redis-store.js";
import { useServer } from "../support/servers/use-server.js";

const random = { bytes: (n: number) => randomBytes(n) };
const server = useServer("Redis 7", { appendonly: true, appendfsync: "always" });

/** A clock that goes on by 5 ms with each look at it. */
function timing() {
  const took: [kind: string, ms: number][] = [];
  let nowMs = 0;
  const clock = { monotonicMs: () => (nowMs += 5) };
  const around: UpdatesAround = (updates) => new TimedUpdates(updates, clock, (kind, ms) => void took.push([kind, ms]));
  return { took, around };
}

function folder(): string {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-timed-"));
  onTestFinished(() => {
    rmSync(dataDir, { recursive: true });
  });
  return dataDir;
}

const addresses: Readonly<Record<string, () => Promise<StoreAddress>>> = {
  "a folder": () => Promise.resolve({ engine: "lmdb", dataDir: folder(), setting: "SLUICE_DATA_DIR" } as StoreAddress),
  "a server": async () => {
    const address = serverAt(server().port);
    await createRedisStore(address, random, nodeTimers);
    return address;
  },
};

it.each(Object.keys(addresses))("each update of a store in %s is timed by its kind", async (where) => {
  const { took, around } = timing();
  const address = await addresses[where]?.();
  if (address === undefined) throw new Error(where);
  const parts = { random, timers: nodeTimers, logger: quiet, meter: uncounted, waits: () => undefined, around };
  const store = await openStores(address, parts);
  onTestFinished(() => store.close());
  const nothing = { answer: "nothing", changes: {} };
  await store.update("report", [], () => nothing);
  const failing = store.update("leases", [], () => {
    throw new Error("it cannot be decided");
  });
  await expect(failing).rejects.toThrow("it cannot be decided");
  expect(took).toEqual([
    ["report", 5],
    ["leases", 5],
  ]);
});
