// What leases need, from the start on: the fleet clock, which goes on from what the store has of it, and the group commit of asks.
import type { Registry } from "prom-client";

import { leasePorts } from "./app/edges/lease-commits.js";
import type { LeasePorts } from "./app/edges/lease-commits.js";
import type { Timers } from "./app/ports/log-ports.js";
import type { CurrentPolicy, Logger, Random, SteadyClock } from "./app/ports/ports.js";
import type { Stores } from "./app/ports/stores.js";
import type { Requests } from "./app/ports/tracing-ports.js";
import { FleetClock } from "./app/upkeep/fleet-clock.js";
import { LeaseMetrics } from "./http/status/lease-metrics.js";
import type { Started } from "./started.js";

/** It stands in budgets: as short as makes two alike unlikely. */
const NAME_BYTES = 6;

interface LeasesStart {
  readonly store: Stores;
  readonly policies: CurrentPolicy;
  readonly clock: SteadyClock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly started: Started;
  readonly registry: Registry;
  readonly requests: Requests;
}

/** Where the store cannot say where the clock is to begin, it is asked on. */
export async function startLeases({
  store,
  policies,
  clock,
  timers,
  random,
  log,
  started,
  registry,
  requests,
}: LeasesStart): Promise<LeasePorts> {
  const name = Buffer.from(random.bytes(NAME_BYTES)).toString("base64url");
  const fleetClock = new FleetClock({ machine: clock, isShared: store.storeTime !== undefined, name });
  await fleetClock.begin(store.fleetTime);
  started.add(fleetClock.follow(store.fleetTime, timers));
  const meter = new LeaseMetrics(registry);
  return leasePorts({ updates: store, policies, clock, fleetClock, meter, logger: log, requests });
}
