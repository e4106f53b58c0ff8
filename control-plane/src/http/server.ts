// The server of the API and of the edge protocol: the routes, with who may call them.
import swagger from "@fastify/swagger";
import type { FastifyBaseLogger } from "fastify";

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
import type { InvalidationLog } from "../app/ports/log-ports.js";
import type { Network } from "../app/access/trusted-proxies.js";
import type { EdgeFigures } from "../app/edges/figures/edge-figures.js";
import type { UsagePorts } from "../app/edges/usage.js";
import type { Requests, Spans } from "../app/ports/tracing-ports.js";
import type { Watches } from "../app/edges/watches.js";
import type { TlsIdentity } from "../tls/tls.js";
import { auditRoutes } from "./admin/audit-routes.js";
import type { HttpApp } from "./app.js";
import { baseApp } from "./base-app.js";
import { readBodies } from "./bodies.js";
import { Callers } from "./callers.js";
import { spanRequests } from "./followed-requests.js";
import { readQueries } from "./queries.js";
import { Connections } from "./connection-bounds.js";
import type { ConnectionBounds } from "./connection-bounds.js";
import { timeEdgeCalls } from "./edge/call-times.js";
import { edgeRoutes } from "./edge/edge-routes.js";
import { edgesRoute } from "./admin/edges-route.js";
import type { ListedEdges } from "./admin/edges-route.js";
import { admitInstances, guardAdmins, guardEdges } from "./guard.js";
import { installationRoute } from "./admin/installation-route.js";
import type { InstallationPort } from "./admin/installation-route.js";
import { listRoutes } from "./admin/list-routes.js";
import type { ErrorDetail } from "./errors.js";
import type { ConnectionCounts } from "./status/connection-metrics.js";
import type { Metrics } from "./status/metrics.js";
import { documentRoute, openApi } from "./openapi.js";
import { policyRoutes } from "./admin/policy-routes.js";
import type { PolicyStatusPort } from "./admin/policy-routes.js";
import { revocationRoutes } from "./admin/revocation-routes.js";
import { ErrorSchema } from "./schemas.js";
import { sessionRoutes } from "./admin/session-routes.js";
import { STATUS_PATHS } from "./status/status-routes.js";
import { usageRoutes } from "./admin/usage-routes.js";
import { watchRoute } from "./edge/watch-route.js";

export interface HttpServerOptions {
  readonly ports: UsagePorts;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
  /** Accepted on the admin routes; several of a kind during a rotation. */
  readonly adminTokens: readonly AdminToken[];
  /** Of the issuers' file: whose token a header shows. */
  readonly issuers: Pick<IssuersInForce, "holderOf">;
  /** Of the admin routes: for each address, for each issuer, and for all operators. */
  readonly apiRate: RequestRate;
  /** Whose X-Forwarded-For counts. */
  readonly trustedProxies: readonly Network[];
  readonly connections: ConnectionBounds;
  readonly connectionCounts: ConnectionCounts;
  /** Of the status listener, as a URL has it: said to who still asks here for what is there. */
  readonly statusAddress: string;
  /** Null: plain HTTP. */
  readonly tls: TlsIdentity | null;
  /** Accepted on the edge routes; two during a rotation of the secret. */
  readonly edgeCredentials: readonly string[];
  readonly watches: Watches;
  readonly revocations: BulkRevocations;
  readonly confirmations: ConfirmationsPort;
  /** What edges confirm. */
  readonly invalidations: Pick<InvalidationLog, "position" | "subscribe">;
  readonly policyStatus: PolicyStatusPort;
  readonly installation: InstallationPort;
  readonly edges: ListedEdges;
  readonly unauthenticated: UnauthenticatedCalls;
  readonly admission: Pick<InstanceAdmission, "take">;
  /** Left out: as for `baseApp`. */
  readonly requests?: Requests;
  /** Undefined: no spans are made. */
  readonly spans?: Spans | undefined;
  readonly figures: Pick<EdgeFigures, "count">;
  /** Hears of each call of an edge but watches: which, and how long its answer took. */
  readonly edgeCallTook: (call: string, ms: number) => void;
}

/** Builds the server; `listen` starts it. */
export async function buildHttpServer(options: HttpServerOptions): Promise<HttpApp> {
  const { ports, metrics, adminTokens, edgeCredentials } = options;
  const { log, tls, statusAddress, requests, spans } = options;
  const httpError = metrics.httpError.bind(metrics);
  const hintOf = (path: string): ErrorDetail | undefined => movedTo(statusAddress, path);
  const app = baseApp({ log, tls, random: ports.random, httpError, hintOf, ...(requests && { requests }) });
  const connections: Connections = new Connections({
    ...{ listener: "api", bounds: options.connections, clock: ports.clock, logger: ports.logger },
    dropped: options.connectionCounts.of("api", () => connections.counts()),
  });
  connections.follow(app);
  readBodies(app);
  app.addSchema(ErrorSchema);
  const waits = new RevocationWaits(options.confirmations, options.invalidations, ports.clock);
  answerHeldOnClose(app, options.watches, waits);

  const callers = new Callers(options.trustedProxies);
  readQueries(app);
  await app.register(swagger, openApi);
  await app.register((scope, _options, done) => {
    const rates = new RequestRates(ports.clock, options.apiRate);
    const ofEnvironment = bearerCheck(ofAdmins(adminTokens));
    const holderOf = (header: string | undefined) => ofEnvironment(header) ?? options.issuers.holderOf(header);
    guardAdmins(scope, { holderOf, rates, connections, callers });
    if (spans !== undefined) spanRequests(scope, spans);
    sessionRoutes(scope, ports, { waits, callers });
    listRoutes(scope, ports);
    usageRoutes(scope, ports);
    auditRoutes(scope, ports.audit);
    revocationRoutes(scope, options.revocations, waits);
    edgesRoute(scope, options.edges, options.unauthenticated);
    policyRoutes(scope, options.policyStatus);
    installationRoute(scope, options.installation, ports.clock);
    done();
  });
  await app.register((scope, _options, done) => {
    const { unauthenticated } = options;
    guardEdges(scope, { holderOf: bearerCheck(ofEdges(edgeCredentials)), unauthenticated, connections, callers });
    if (spans !== undefined) spanRequests(scope, spans);
    admitInstances(scope, options.admission);
    timeEdgeCalls(scope, options.edgeCallTook);
    edgeRoutes(scope, ports, options.figures);
    watchRoute(scope, options.watches, callers);
    done();
  });
  documentRoute(app);
  return app;
}

/** Probes and scrapes of an earlier version still ask the API's listener. */
function movedTo(statusAddress: string, path: string): ErrorDetail | undefined {
  if (!STATUS_PATHS.includes(path)) return undefined;
  return { message: `${path} is on the status listener, ${statusAddress} (SLUICE_STATUS_HOST, SLUICE_STATUS_PORT)` };
}

/** After `baseApp`'s own hook of that kind, so that held calls are answered as the last ones on their connections. */
function answerHeldOnClose(app: HttpApp, watches: Watches, waits: RevocationWaits): void {
  app.addHook("preClose", () => {
    waits.stop();
    return watches.stop();
  });
}
