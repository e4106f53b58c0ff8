// The status listener: plain HTTP without a credential, for supervisors and Prometheus, apart from the API in all its bounds.
import type { FastifyBaseLogger } from "fastify";

import type { Clock, Logger, Random } from "../../app/ports/ports.js";
import type { HttpApp } from "../app.js";
import { baseApp } from "../base-app.js";
import { Connections } from "../connection-bounds.js";
import type { ConnectionBounds } from "../connection-bounds.js";
import { bodyTooLarge, sendError } from "../errors.js";
import type { ErrorDetail } from "../errors.js";
import type { ConnectionCounts } from "./connection-metrics.js";
import type { Metrics } from "./metrics.js";
import type { Readiness } from "./readiness.js";
import { statusRoutes } from "./status-routes.js";

/** Supervisors and scrapers are few; a flood of the listener is held to memory and files that nobody misses. */
export const STATUS_CONNECTIONS: ConnectionBounds = { total: 64, unauthenticated: 64, perAddress: 16 };

export interface StatusServerOptions {
  readonly log: FastifyBaseLogger & Logger;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly random: Random;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly connectionCounts: ConnectionCounts;
}

/** Builds the server; `listen` starts it. */
export function buildStatusServer(options: StatusServerOptions): HttpApp {
  const { log, clock, random, metrics, readiness, connectionCounts } = options;
  const httpError = metrics.httpError.bind(metrics);
  const app = baseApp({ log, tls: null, random, httpError, hintOf: elsewhere });
  const connections: Connections = new Connections({
    ...{ listener: "status", bounds: STATUS_CONNECTIONS, clock, logger: log },
    dropped: connectionCounts.of("status", () => connections.counts()),
  });
  connections.follow(app);
  denyBodies(app);
  statusRoutes(app, { readiness, metrics });
  return app;
}

const OF_THE_API = /^\/(?:v1|edge)\//;

/** Somebody has the wrong one of the two addresses. */
function elsewhere(path: string): ErrorDetail | undefined {
  if (!OF_THE_API.test(path)) return undefined;
  return {
    message: "This is the status listener; the API and edges have another (SLUICE_HTTP_HOST, SLUICE_HTTP_PORT)",
  };
}

/** No route here has a use for one, so none is read: the connection ends with the answer. */
function denyBodies(app: HttpApp): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
    if (encoding === undefined && Number(length) === 0) {
      done();
      return;
    }
    reply.header("connection", "close");
    const hint = elsewhere(request.url);
    if (hint === undefined) sendError(reply, "BODY_TOO_LARGE", bodyTooLarge(0));
    else sendError(reply, "ROUTE_NOT_FOUND", hint);
  });
}
