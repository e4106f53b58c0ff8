// The store, from the start on: opened, looked after, and where several control planes share it, the clock of all.
import type { Registry } from "prom-client";

import type { Timers } from "./app/ports/log-ports.js";
import type { Logger, Random } from "./app/ports/ports.js";
import type { Stores } from "./app/ports/stores.js";
import { followStoreTime } from "./app/upkeep/shared-clock.js";
import type { SharedClock } from "./app/upkeep/shared-clock.js";
import type { SteadyTime } from "./app/upkeep/steady-clock.js";
import { startStoreKeeping } from "./app/upkeep/store-keeping.js";
import { messageOf } from "./domain/message-of.js";
import { observeStoreClock } from "./http/status/clock-metrics.js";
import type { Readiness } from "./http/status/readiness.js";
import { SharedStoreMetrics } from "./http/status/store-metrics.js";
import type { Settings } from "./settings/settings.js";
import { exitOf, StartFailure } from "./start-failure.js";
import type { Started } from "./started.js";
import { openStores } from "./store/open-stores.js";
import { storeNamed } from "./store/store-address.js";
import { TimedUpdates } from "./store/timed-updates.js";
import type { UpdateTook, UpdatesAround } from "./store/timed-updates.js";

interface StoreStart {
  readonly settings: Pick<Settings, "store">;
  readonly random: Random;
  readonly timers: Timers;
  readonly log: Logger;
  readonly started: Started;
  /** Ends the process at once, for a new one to take its place. */
  readonly end: () => void;
  /** What everything is decided by, and the clock under it. */
  readonly steady: SteadyTime;
  readonly shared: SharedClock;
  readonly readiness: Readiness;
  readonly registry: Registry;
  readonly updateTook: UpdateTook;
}

/** @throws StartFailure where it cannot be opened; a store over the network is waited for */
export async function startStore(start: StoreStart): Promise<Stores> {
  const { shared, steady, timers, started, registry } = start;
  const store = await opened(start);
  const { storeTime } = store;
  if (storeTime !== undefined) {
    started.add(await followStoreTime({ shared, steady, storeTime, timers }));
    observeStoreClock(registry, shared);
  }
  return store;
}

async function opened({
  settings,
  random,
  timers,
  log,
  started,
  end,
  readiness,
  registry,
  steady,
  updateTook,
}: StoreStart): Promise<Stores> {
  const step = "the store is being opened";
  readiness.startsWith(step);
  const waits = (why: string): void => {
    readiness.startsWith(`${step}: ${why}`);
  };
  const meter = new SharedStoreMetrics(registry);
  const around: UpdatesAround = (updates) => new TimedUpdates(updates, steady, updateTook);
  try {
    const store = await openStores(settings.store, { random, timers, logger: log, meter, waits, around });
    started.mayHang(() => store.health.isAtDisk());
    started.add(() => store.close());
    started.add(startStoreKeeping({ health: store.health, timers, logger: log, over: end }));
    return store;
  } catch (error) {
    throw new StartFailure(`${storeNamed(settings.store)} cannot be opened: ${messageOf(error)}`, exitOf(error));
  }
}
