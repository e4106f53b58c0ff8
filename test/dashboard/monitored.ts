// What the dashboard is shown of: two control planes over one Redis behind their one address, two Envoys, and a Prometheus that
// hears of the control planes alone.
import { createServer } from "node:http";
import { type FleetEnvoy, NO_MORE, startEnvoy } from "../fleet/parts/envoys.js";
import { type ControlPlane, startBalancer, startPlane } from "../fleet/parts/planes.js";
import type { Ends, Site } from "../fleet/parts/site.js";
import { listening } from "../fleet/parts/service.js";
import { type FleetStore, startStore } from "../fleet/parts/store.js";
import { COST_HEADER, dashboardPolicy, RESERVED } from "./policy.js";
import { Prometheus } from "./prometheus.js";

export interface Monitored {
  readonly store: FleetStore;
  readonly planes: readonly [ControlPlane, ControlPlane];
  /** Of both control planes, for edges. */
  readonly controlPlane: number;
  readonly envoys: readonly [FleetEnvoy, FleetEnvoy];
  readonly prometheus: Prometheus;
}

/** Sessions that a table has room for: the fewest, and fewer than there are. */
export const TABLE_CAPACITY = 1024;
/** Calls a second: all sessions are issued at once. */
const SLUICE_API_RATE = "100000";
export const FIRST_RATE = 500;

/** Everything serves when it resolves. */
export async function startMonitored(site: Site): Promise<Monitored> {
  const service = await startService(site.ends);
  const store = await startStore("redis", false, site.ends);
  const options = { store: store.url, env: { SLUICE_API_RATE }, policy: dashboardPolicy(FIRST_RATE) };
  const planes = [
    await startPlane(site, "control-plane-1", options),
    await startPlane(site, "control-plane-2", options),
  ] as const;
  const targets = planes.map(({ ports }) => ports.status);
  const prometheus = await Prometheus.start(site, { sluice: targets });
  const controlPlane = await startBalancer(planes, site);
  const around = {
    controlPlane,
    service,
    more: NO_MORE,
    filter: "sluice-settle",
    tableCapacity: TABLE_CAPACITY,
  } as const;
  const envoys = await Promise.all([startEnvoy(site, "gateway-a", around), startEnvoy(site, "gateway-b", around)]);
  return { store, planes, controlPlane, envoys, prometheus };
}

/** Says of each answer what it cost: as much as was reserved, more or less, in turn. */
function startService(ends: Ends): Promise<number> {
  let served = 0;
  const server = createServer((_request, response) => {
    const cost = RESERVED + (served++ % 3) - 1;
    response.writeHead(200, { [COST_HEADER]: String(cost) }).end("served\n");
  });
  return listening(server, ends);
}
