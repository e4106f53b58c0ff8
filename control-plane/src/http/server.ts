// The HTTP server: its limits, its one form of error, its log lines, and the routes joined to it.
import swagger from "@fastify/swagger";
import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyError } from "fastify";

import { ofAdmins } from "../app/access/admin.js";
import type { AdminToken } from "../app/access/admin.js";
import type { IssuersInForce } from "../app/access/issuers.js";
import type { BulkRevocations } from "../app/sessions/bulk-revocations.js";
import { bearerCheck, ofEdges } from "../app/access/credential.js";
import type { InstanceAdmission } from "../app/edges/status/instance-admission.js";
import type { UnauthenticatedCalls } from "../app/edges/status/unauthenticated-calls.js";
import { RequestRates } from "../app/access/request-rates.js";
import type { RequestRate } from "../app/access/request-rates.js";
import { RevocationWaits } from "../app/sessions/revocation-waits.js";
import type { ConfirmationsPort } from "../app/sessions/revocation-waits.js";
import type { UsagePorts } from "../app/edges/usage.js";
import type { Watches } from "../app/edges/watches.js";
import type { TlsIdentity } from "../tls/tls.js";
import { auditRoutes } from "./admin/audit-routes.js";
import type { HttpApp } from "./app.js";
import { BodyDenied, denyQueries, readBodies } from "./bodies.js";
import { answerUnparsed, endConnectionsOnClose } from "./connections.js";
import { Connections } from "./connection-bounds.js";
import type { ConnectionBounds } from "./connection-bounds.js";
import { edgeRoutes } from "./edge/edge-routes.js";
import { edgesRoute } from "./admin/edges-route.js";
import { StoreUnwritable } from "../app/ports/store-health.js";
import type { StoreHealth } from "../app/ports/store-health.js";
import { UpdateConflict } from "../app/ports/update-ports.js";
import type { ListedEdges } from "./admin/edges-route.js";
import { bodyTooLarge, codeOfFailure, sendError } from "./errors.js";
import type { ErrorCode } from "./errors.js";
import { describeViolation } from "./field-violations.js";
import type { ValidatorError } from "./field-violations.js";
import { admitInstances, guardAdmins, guardEdges } from "./guard.js";
import { listRoutes } from "./admin/list-routes.js";
import { connectionMetrics } from "./status/connection-metrics.js";
import type { Metrics } from "./status/metrics.js";
import { answerConnect, answerUnrouted, denyHeads, REQUEST_ID_HEADER, requestIds } from "./request-head.js";
import { openApi } from "./openapi.js";
import { policyRoutes } from "./admin/policy-routes.js";
import type { PolicyStatusPort } from "./admin/policy-routes.js";
import { dropUnanswerable } from "./pipelining.js";
import { revocationRoutes } from "./admin/revocation-routes.js";
import { ErrorSchema, FORMATS } from "./schemas.js";
import { sessionRoutes } from "./admin/session-routes.js";
import { statusRoutes } from "./status/status-routes.js";
import { usageRoutes } from "./admin/usage-routes.js";
import { REQUEST_TIMEOUT_MS, transportOptions } from "./transport.js";
import { watchRoute } from "./edge/watch-route.js";

export interface HttpServerOptions {
  /** Of the store. */
  readonly health: StoreHealth;
  readonly ports: UsagePorts;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
  /** Accepted on the admin routes; several of a kind during a rotation. */
  readonly adminTokens: readonly AdminToken[];
  /** Of the issuers' file: whose token a header shows. */
  readonly issuers: Pick<IssuersInForce, "holderOf">;
  /** Of the admin routes: for each address, for each issuer, and for all operators. */
  readonly apiRate: RequestRate;
  readonly connections: ConnectionBounds;
  /** Null: plain HTTP. */
  readonly tls: TlsIdentity | null;
  /** Accepted on the edge routes; two during a rotation of the secret. */
  readonly edgeCredentials: readonly string[];
  readonly watches: Watches;
  readonly revocations: BulkRevocations;
  readonly confirmations: ConfirmationsPort;
  readonly policyStatus: PolicyStatusPort;
  readonly edges: ListedEdges;
  readonly unauthenticated: UnauthenticatedCalls;
  readonly admission: InstanceAdmission;
}

/** Longer than an edge's connections rest before it closes them, so that closing is theirs. */
const KEEP_ALIVE_MS = 75_000;

/** Builds the server; `listen` starts it. */
export async function buildHttpServer(options: HttpServerOptions): Promise<HttpApp> {
  const { ports, metrics, adminTokens, edgeCredentials } = options;
  const app = newApp(options);
  const connections: Connections = new Connections({
    bounds: options.connections,
    clock: ports.clock,
    logger: ports.logger,
    dropped: connectionMetrics(metrics.registry, () => connections.counts()),
  });
  connections.follow(app);
  readBodies(app);
  app.decorateReply("errorCode", null);
  app.addSchema(ErrorSchema);
  dropUnanswerable(app);
  denyHeads(app);
  answerUnrouted(app);
  endConnectionsOnClose(app);
  const waits = new RevocationWaits(options.confirmations, ports.store);
  answerHeldOnClose(app, options.watches, waits);
  answerErrors(app);
  denyQueries(app);
  observe(app, metrics);

  await app.register(swagger, openApi);
  await app.register((scope, _options, done) => {
    const rates = new RequestRates(ports.clock, options.apiRate);
    const ofEnvironment = bearerCheck(ofAdmins(adminTokens));
    const holderOf = (header: string | undefined) => ofEnvironment(header) ?? options.issuers.holderOf(header);
    guardAdmins(scope, { holderOf, rates, connections });
    sessionRoutes(scope, ports, waits);
    listRoutes(scope, ports);
    usageRoutes(scope, ports);
    auditRoutes(scope, ports.audit);
    revocationRoutes(scope, options.revocations, waits);
    edgesRoute(scope, options.edges, options.unauthenticated);
    policyRoutes(scope, options.policyStatus);
    done();
  });
  await app.register((scope, _options, done) => {
    const { unauthenticated } = options;
    guardEdges(scope, { holderOf: bearerCheck(ofEdges(edgeCredentials)), unauthenticated, connections });
    admitInstances(scope, options.admission);
    edgeRoutes(scope, ports);
    watchRoute(scope, options.watches);
    done();
  });
  statusRoutes(app, { store: ports.store, health: options.health, policies: ports.policies, metrics });
  return app;
}

/** With its limits, and without a route. */
function newApp({ log, tls, metrics, ports }: HttpServerOptions): HttpApp {
  const idOf = requestIds(ports.random);
  const counted = (code: ErrorCode): void => {
    metrics.httpError(code);
  };
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // A logger for each request, with its own fields redacted anew, costs as much as all else that few lines need.
    childLoggerFactory: (logger) => logger,
    ...transportOptions(tls),
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Calls that are under way when the server stops are finished.
    return503OnClosing: false,
    genReqId: idOf,
    clientErrorHandler: (error, socket) => {
      answerUnparsed(error, socket, { id: idOf(), counted });
    },
    frameworkErrors: (error, { id }, reply) => {
      const code = codeOfFailure(error.code) ?? "MALFORMED_REQUEST";
      // No hook sees these: they arise before there is a route.
      counted(code);
      sendError(reply.header(REQUEST_ID_HEADER, id), code);
    },
    // What was sent is validated, never bent into shape.
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
  answerConnect(app, { idOf, counted });
  return app;
}

/** To be called after `endConnectionsOnClose`, so that held calls are answered as the last ones on their connections. */
function answerHeldOnClose(app: HttpApp, watches: Watches, waits: RevocationWaits): void {
  app.addHook("preClose", () => {
    waits.stop();
    return watches.stop();
  });
}

/** The store is looked at each second. */
const NOT_WRITTEN_RETRY_S = 1;

const isNotWritten = (error: unknown): boolean => error instanceof StoreUnwritable || error instanceof UpdateConflict;

function answerErrors(app: HttpApp): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error instanceof BodyDenied) return sendError(reply, error.code, error.detail);
    const violation = error.validation?.at(-1);
    if (violation !== undefined)
      return sendError(reply, "INVALID_REQUEST", describeViolation(violation as ValidatorError));
    if (isNotWritten(error)) return sendError(reply.header("retry-after", NOT_WRITTEN_RETRY_S), "NOT_WRITTEN");
    const code = codeOfFailure(error.code) ?? (error.statusCode === 400 ? "MALFORMED_JSON" : "INTERNAL");
    if (code === "INTERNAL")
      request.log.error({ event: "request-failed", requestId: request.id, err: error }, "request failed");
    return sendError(reply, code, code === "BODY_TOO_LARGE" ? bodyTooLarge(request.routeOptions.bodyLimit) : {});
  });
}

/** Counts errors and logs requests: by route, never by URL, in which a token may have been pasted. */
function observe(app: HttpApp, metrics: Metrics): void {
  app.addHook("onResponse", (request, reply, done) => {
    const { errorCode, statusCode, elapsedTime: durationMs } = reply;
    if (errorCode !== null) metrics.httpError(errorCode);
    const { method, routeOptions } = request;
    request.log.debug(
      { event: "request", requestId: request.id, method, route: routeOptions.url, statusCode, errorCode, durationMs },
      "request",
    );
    done();
  });
}
