// The status listener of the process: the first to listen and the last to close, so that it answers all the time between.
import type { AddressInfo } from "node:net";
import type { Logger as PinoLogger } from "pino";

import type { Timers } from "./app/ports/log-ports.js";
import type { Clock, Random } from "./app/ports/ports.js";
import { closeServer } from "./http/connections.js";
import type { ConnectionCounts } from "./http/status/connection-metrics.js";
import type { Metrics } from "./http/status/metrics.js";
import { Readiness } from "./http/status/readiness.js";
import { buildStatusServer } from "./http/status/status-server.js";
import { listenAt } from "./listening.js";
import { hostPort } from "./settings/address.js";
import type { Address } from "./settings/address.js";
import type { Started } from "./started.js";

/** The rest of the process has ended by then: who still holds a connection is not waited for. */
const STOP_GRACE_MS = 500;

export interface StatusParts {
  readonly settings: { readonly status: Address };
  readonly log: PinoLogger;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly started: Started;
  readonly metrics: Metrics;
  readonly connectionCounts: ConnectionCounts;
}

export interface StatusListener {
  readonly readiness: Readiness;
  readonly addresses: readonly AddressInfo[];
  /** As a URL has it: the host as it was set, which is a name or all addresses maybe. */
  readonly hostPort: string;
}

/** Resolves once it listens. @throws StartFailure */
export async function startStatusListener(parts: StatusParts): Promise<StatusListener> {
  const { settings, log, clock, timers, random, started, metrics, connectionCounts } = parts;
  const readiness = new Readiness(timers);
  const server = buildStatusServer({ log, clock, random, readiness, metrics, connectionCounts });
  started.add(() => closeServer(server, STOP_GRACE_MS));
  const addresses = await listenAt(server, settings.status, "SLUICE_STATUS");
  const { host, port } = settings.status;
  return { readiness, addresses, hostPort: hostPort({ host, port: addresses[0]?.port ?? port }) };
}
