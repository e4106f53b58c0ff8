// The HTTP server: its limits, its one form of error, its log lines, and the routes joined to it.
import swagger from "@fastify/swagger";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyError, FastifyInstance, RawServerDefault } from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { SessionPorts } from "../app/sessions.js";
import { bearerCheck } from "./bearer.js";
import { answerUnparsed, endConnectionsOnClose } from "./connections.js";
import { edgeRoutes } from "./edge-routes.js";
import { codeOfFailure, sendError } from "./errors.js";
import type { ErrorCode } from "./errors.js";
import { describeFault } from "./faults.js";
import type { ValidatorError } from "./faults.js";
import type { Metrics } from "./metrics.js";
import { openApi } from "./openapi.js";
import { ErrorSchema, FORMATS } from "./schemas.js";
import { sessionRoutes } from "./session-routes.js";
import { statusRoutes } from "./status-routes.js";

declare module "fastify" {
  interface FastifyReply {
    /** The error that is being answered, null for none. */
    errorCode: ErrorCode | null;
  }
}

export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface HttpServerOptions {
  readonly ports: SessionPorts;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
  /** Accepted on the admin routes. */
  readonly adminTokens: readonly string[];
  /** Accepted on the edge routes; two during a rotation of the secret. */
  readonly edgeCredentials: readonly string[];
}

/** A whole request must have arrived by then, so that slow clients cannot collect connections. */
const REQUEST_TIMEOUT_MS = 10_000;
const TIMEOUTS_CHECKED_EVERY_MS = 2000;
/** Longer than an edge's connections rest before it closes them, so that closing is theirs. */
const KEEP_ALIVE_MS = 75_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** Far above the workers of any number of edges one control plane serves; below what would exhaust the process. */
const MAX_CONNECTIONS = 10_000;

/** Builds the server; `listen` starts it. */
export async function buildHttpServer(options: HttpServerOptions): Promise<HttpApp> {
  const { ports, metrics, adminTokens, edgeCredentials } = options;
  const app: HttpApp = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    http: {
      headersTimeout: REQUEST_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      connectionsCheckingInterval: TIMEOUTS_CHECKED_EVERY_MS,
    },
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Calls that are under way when the server stops are finished.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => {
      answerUnparsed(error, socket, (code) => {
        metrics.httpError(code);
      });
    },
    frameworkErrors: (error, _request, reply) => {
      sendError(reply, codeOfFailure(error.code) ?? "MALFORMED_REQUEST");
    },
    // What was sent is judged, never bent into shape.
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        verbose: true,
        formats: FORMATS,
      },
    },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.removeContentTypeParser("text/plain");
  app.decorateReply("errorCode", null);
  app.addSchema(ErrorSchema);
  endConnectionsOnClose(app);
  answerErrors(app);
  observe(app, metrics);

  await app.register(swagger, openApi);
  await app.register((scope, _options, done) => {
    sessionRoutes(scope, ports, bearerCheck(adminTokens));
    done();
  });
  await app.register((scope, _options, done) => {
    edgeRoutes(scope, ports, bearerCheck(edgeCredentials));
    done();
  });
  statusRoutes(app, { store: ports.store, policies: ports.policies, metrics });
  return app;
}

function answerErrors(app: HttpApp): void {
  app.setNotFoundHandler((_request, reply) => sendError(reply, "ROUTE_NOT_FOUND"));
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const fault = error.validation?.[0];
    if (fault !== undefined) return sendError(reply, "INVALID_REQUEST", describeFault(fault as ValidatorError));
    const code = codeOfFailure(error.code) ?? (error.statusCode === 400 ? "MALFORMED_JSON" : "INTERNAL");
    if (code === "INTERNAL") request.log.error({ type: "request-failed", err: error }, "request failed");
    return sendError(reply, code);
  });
}

/** Counts errors and logs requests: by route, never by URL, in which a token may have been pasted. */
function observe(app: HttpApp, metrics: Metrics): void {
  app.addHook("onResponse", (request, reply, done) => {
    const { errorCode, statusCode, elapsedTime: durationMs } = reply;
    if (errorCode !== null) metrics.httpError(errorCode);
    const { method, routeOptions } = request;
    request.log.debug(
      { type: "request", method, route: routeOptions.url, statusCode, errorCode, durationMs },
      "request",
    );
    done();
  });
}
