// All parts of a run, brought up one after the other: store, control planes, balancer, Envoys, and sessions to spend.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { Failure } from "../../scripts/failure.js";
import { type ClockFile, clockFileIn } from "../e2e/harness/clock-file.js";
import type { FleetArguments } from "./arguments.js";
import { type Counter, startCounter } from "./compare/counter.js";
import { comparedListeners } from "./compare/listeners.js";
import { EDGES } from "./figures/demand.js";
import { lanesOf } from "./lanes.js";
import { type FleetEnvoy, NO_MORE, startEnvoy } from "./parts/envoys.js";
import { type Lane, Load } from "./parts/load.js";
import { BUCKET, type ControlPlane, startBalancer, startPlane } from "./parts/planes.js";
import { startService } from "./parts/service.js";
import type { Site } from "./parts/site.js";
import { type FleetStore, startStore } from "./parts/store.js";

export interface Fleet {
  readonly store: FleetStore;
  readonly planes: readonly ControlPlane[];
  readonly envoys: readonly FleetEnvoy[];
  readonly clock: ClockFile;
  /** Sluice's first; with `compare` those that it is compared with. */
  readonly lanes: readonly [Lane, ...Lane[]];
  readonly load: Load;
  readonly counter: Counter | undefined;
}

const PLANES = ["control-plane-1", "control-plane-2"];
const ENVOYS = Array.from({ length: EDGES }, (_, i) => `envoy-${i + 1}`);

/** Everything is ready when it resolves. */
export async function startFleet(wanted: FleetArguments, site: Site, say: (line: string) => void): Promise<Fleet> {
  const lanes: Lane[] = [];
  const load = new Load(lanes);
  const service = await startService((name, atMs) => {
    load.served(name, atMs);
  }, site.ends);
  say("starting the store and two control planes");
  const store = await startStore(wanted.store, wanted.fault === "failover", site.ends);
  const { planes, clock } = await startPlanes(wanted, site, store);
  const controlPlane = await startBalancer(planes, site);
  const counter = wanted.compare ? await startCounter(site, store.port, BUCKET) : undefined;
  say(`starting ${EDGES} Envoys`);
  const more = counter === undefined ? NO_MORE : comparedListeners(counter.port);
  const starts = ENVOYS.map((name) => startEnvoy(site, name, { controlPlane, service, more }));
  const envoys = await Promise.all(starts);
  const [sluice, ...others] = await lanesOf(wanted, site, envoys, planes);
  lanes.push(sluice, ...others);
  return { store, planes, envoys, clock, load, counter, lanes: [sluice, ...others] };
}

async function startPlanes(
  { fault }: FleetArguments,
  site: Site,
  store: FleetStore,
): Promise<{ planes: ControlPlane[]; clock: ClockFile }> {
  const folder = join(site.folder, "clock");
  mkdirSync(folder);
  const clock = await clockFileIn(folder);
  const isSkewed = fault === "clock-skew";
  if (isSkewed && clock.missing !== undefined) throw new Failure(clock.missing);
  const planes: ControlPlane[] = [];
  for (const name of PLANES) {
    const env = isSkewed && name === PLANES.at(-1) ? clock.env : {};
    planes.push(await startPlane(site, name, { store: store.url, env }));
  }
  return { planes, clock };
}
