// The control plane's HTTP server over a store in a temporary folder and a fixed clock, listening on a free port.
import { randomBytes } from "node:crypto";
import { expect, onTestFinished } from "vitest";

import { NO_ISSUERS } from "../../src/app/access/issuers.js";
import { BulkRevocations } from "../../src/app/sessions/bulk-revocations.js";
import { leasePorts } from "../../src/app/edges/lease-commits.js";
import { DroppedRows } from "../../src/app/edges/dropped-rows.js";
import { EdgeFigures } from "../../src/app/edges/figures/edge-figures.js";
import { EdgeRegistry } from "../../src/app/edges/status/edge-registry.js";
import { EdgeSurveys } from "../../src/app/edges/status/edge-survey.js";
import { edgesPage } from "../../src/app/edges/status/edge-pages.js";
import { policyPropagation } from "../../src/app/edges/policy-propagation.js";
import { LiveSessions } from "../../src/app/upkeep/live-sessions.js";
import type { Stores } from "../../src/app/ports/stores.js";
import { SteadyTime } from "../../src/app/upkeep/steady-clock.js";
import { InstanceAdmission } from "../../src/app/edges/status/instance-admission.js";
import { UnauthenticatedCalls } from "../../src/app/edges/status/unauthenticated-calls.js";
import { Watches } from "../../src/app/edges/watches.js";
import { DurationMetrics } from "../../src/http/status/duration-metrics.js";
import { EdgeMetrics } from "../../src/http/status/edge-metrics.js";
import { FigureMetrics } from "../../src/http/status/figure-metrics.js";
import { ManualTimers } from "./manual-timers.js";
import type { SessionView } from "../../src/app/sessions/sessions.js";
import { usageCommits } from "../../src/app/edges/usage.js";
import type { UsagePorts } from "../../src/app/edges/usage.js";
import type { PlanOfPolicy } from "../../src/domain/plan.js";
import { deriveKeys } from "../../src/domain/keys.js";
import { makeToken } from "../../src/domain/token.js";
import { ERRORS } from "../../src/http/errors.js";
import type { ErrorBody, ErrorCode } from "../../src/http/errors.js";
import { ConnectionCounts } from "../../src/http/status/connection-metrics.js";
import { Readiness } from "../../src/http/status/readiness.js";
import { buildStatusServer } from "../../src/http/status/status-server.js";
import { hostPort } from "../../src/settings/address.js";
import { LeaseMetrics } from "../../src/http/status/lease-metrics.js";
import { Metrics } from "../../src/http/status/metrics.js";
import { UsageMetrics } from "../../src/http/status/usage-metrics.js";
import { buildHttpServer } from "../../src/http/server.js";
import type { HttpApp } from "../../src/http/app.js";
import type { HttpServerOptions } from "../../src/http/server.js";
import { createLog } from "../../src/log.js";
import { claimedWork } from "./claimed.js";
import { ConfirmingEdges } from "./confirming-edges.js";
import { DescribedAnswers } from "./described-answers.js";
import type { OpenApiDocument } from "./described-answers.js";
import { FixedClock, FixedFleetClock } from "./fixed-clock.js";
import { METERED, REPORTING, STARTER } from "./sessions.js";
import { PoliciesInForce } from "./policies-in-force.js";
import type { WithVerbs } from "./store-verbs.js";
import { temporaryStore } from "./temporary-store.js";

export const ADMIN_TOKEN = "an-admin-token-for-tests";
export const ISSUER_TOKEN = "an-issuer-token-for-tests";
export const KEYS = deriveKeys(Buffer.alloc(32, 1));
export const KEYS_ALSO = deriveKeys(Buffer.alloc(32, 2));
export const INSTANCE = "00112233aabbccdd";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, parsed; undefined where it is empty. */
  readonly body: unknown;
}

export interface TestControlPlane {
  readonly app: HttpApp;
  readonly url: string;
  readonly clock: FixedClock;
  /** Of held watches and of what is tried again. */
  readonly timers: ManualTimers;
  readonly policies: PoliciesInForce;
  readonly instances: EdgeRegistry;
  readonly watches: Watches;
  /** Edges that confirm revocations when a test has them do so; none to begin with. */
  readonly confirming: ConfirmingEdges;
  readonly store: WithVerbs<Stores>;
  readonly ports: UsagePorts;
  /** Everything logged so far, at the level trace. */
  readonly logged: () => string;
  /** Replaces the policy's plans; none: as if no policy was loaded. */
  readonly setPlans: (...plans: PlanOfPolicy[]) => void;
  /** Each answer is held against the OpenAPI document. */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    credential?: string,
    more?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
  readonly readiness: Readiness;
  readonly statusApp: HttpApp;
  readonly statusUrl: string;
  /** Asks the status listener, as a supervisor or a scraper does. */
  readonly status: (path: string) => Promise<Answer>;
  readonly acquire: (session: string, more?: object) => Promise<Answer>;
  /** Rows are [session id, rev, consumed, level in microtokens, idle ms]. */
  readonly report: (rows: readonly unknown[], more?: object) => Promise<Answer>;
  readonly lease: (asks: readonly unknown[], more?: object) => Promise<Answer>;
}

/** One for all control planes of a test file: they have the same routes. */
let described: DescribedAnswers | undefined;

/** `store` replaces the real one for sessions; `changes` replace those of the server's options. */
export async function startTestControlPlane(
  other?: WithVerbs<Stores>,
  changes: Partial<HttpServerOptions> = {},
): Promise<TestControlPlane> {
  const clock = new FixedClock();
  const temporary = await temporaryStore();
  const store = other ?? temporary;
  const { operator, audit } = temporary;
  const policies = new PoliciesInForce(clock, { ...REPORTING, plans: [STARTER, METERED] });
  let logged = "";
  const log = createLog("trace", { write: (line) => void (logged += line) });
  const time = new SteadyTime({ machine: clock, logger: log, policies });
  const live = new LiveSessions(store, policies, time);
  const metrics = new Metrics(() => live.byPlan());
  const usageMeter = new UsageMetrics(metrics.registry);
  const { usage } = temporary;
  const droppedRows = new DroppedRows({ clock, logger: log, meter: usageMeter });
  const leaseMeter = new LeaseMetrics(metrics.registry);
  const { log: logId } = await store.position();
  const fleetClock = new FixedFleetClock(clock, logId);
  const edgeMetrics = new EdgeMetrics(metrics.registry);
  const propagated = (ms: number): void => {
    edgeMetrics.policyPropagated(ms);
  };
  const workerReported = policyPropagation({ policies, propagated });
  const instances = new EdgeRegistry({ clock, policies, workerReported });
  const ports: UsagePorts = {
    usage,
    usageMeter,
    instances,
    commits: usageCommits(store, policies, usageMeter, droppedRows),
    droppedRows,
    ...leasePorts({
      updates: store,
      policies,
      clock: time,
      fleetClock,
      meter: leaseMeter,
      logger: log,
    }),
    store,
    operator,
    audit,
    policies,
    clock: time,
    random: { bytes: (n) => randomBytes(n) },
    logger: log,
    meter: metrics,
    makeToken: (sessionId, planId) => makeToken({ sessionId, planId }, KEYS),
  };
  const timers = new ManualTimers(clock);
  const { invalidations, revocations: stored } = temporary;
  const unauthenticated = new UnauthenticatedCalls({
    clock,
    logger: log,
    counted: () => {
      edgeMetrics.callDenied();
    },
  });
  const watching = { log: invalidations, policies, timers, clock, instances, meter: edgeMetrics, logger: log };
  const watches = new Watches(watching);
  const seen = { instances, log: invalidations, policies, clock: time };
  const edges = (after: string, limit: number) => edgesPage(seen, after, limit);
  const surveys = new EdgeSurveys(seen);
  edgeMetrics.observe(
    () => surveys.now(),
    () => watches.heldCount(),
  );
  const parts = {
    store: stored,
    updates: temporary,
    claimed: claimedWork(),
    isShared: false,
    clock: time,
    timers,
    random: ports.random,
    logger: log,
    meter: metrics,
  };
  const revocations = new BulkRevocations(parts);
  const denied = (): void => {
    edgeMetrics.instanceDenied();
  };
  const admission = new InstanceAdmission({ clock, logger: log, instances, denied });
  onTestFinished(() => revocations.stop());
  const confirming = new ConfirmingEdges(timers);
  const edgeCredentials = [KEYS.edgeCredential, KEYS_ALSO.edgeCredential];
  const durations = new DurationMetrics(metrics.registry);
  const connectionCounts = new ConnectionCounts(metrics.registry);
  const readiness = new Readiness(timers);
  readiness.started({ store, health: temporary.health, policies });
  const statusApp = buildStatusServer({ log, clock, random: ports.random, readiness, metrics, connectionCounts });
  const statusUrl = await statusApp.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => statusApp.close());
  const app = await buildHttpServer({
    ports,
    metrics,
    log,
    adminTokens: [
      { kind: "operator", token: ADMIN_TOKEN },
      { kind: "issuer", token: ISSUER_TOKEN },
    ],
    issuers: NO_ISSUERS,
    apiRate: { perSecond: 1000, burst: 10_000 },
    connections: { total: 2000, unauthenticated: 1000, perAddress: 1000 },
    connectionCounts,
    statusAddress: hostPort({ host: "127.0.0.1", port: Number(new URL(statusUrl).port) }),
    trustedProxies: [],
    tls: null,
    edgeCredentials,
    watches,
    revocations,
    confirmations: confirming,
    invalidations: store.invalidations,
    policyStatus: policies,
    installation: { notReady: () => readiness.reason(), isIssuersFileRejected: () => false },
    edges,
    unauthenticated,
    admission,
    figures: new EdgeFigures({ clock: time, meter: new FigureMetrics(metrics.registry), logger: log }),
    edgeCallTook: durations.edgeCallTook.bind(durations),
    ...changes,
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());

  const answerOf = async (response: Response): Promise<Answer> => {
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    const { status, headers } = response;
    return { status, headers, text, body: isJson ? (JSON.parse(text) as unknown) : undefined };
  };
  const saidOf = (described ??= new DescribedAnswers(app.swagger() as unknown as OpenApiDocument));
  const call: TestControlPlane["call"] = async (method, path, body, credential = ADMIN_TOKEN, more = {}) => {
    const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const headers = { authorization: `Bearer ${credential}`, ...type, ...more };
    const answer = await answerOf(await fetch(url + path, { method, headers, ...sent }));
    expect(saidOf.violations(method, path, answer)).toEqual([]);
    return answer;
  };
  return {
    app,
    url,
    clock,
    timers,
    policies,
    instances,
    watches,
    confirming,
    store,
    ports,
    logged: () => logged,
    setPlans: (...plans) => {
      policies.put(plans.length === 0 ? undefined : { generation: 2, policy: { ...REPORTING, plans } });
    },
    call,
    readiness,
    statusApp,
    statusUrl,
    status: async (path) => answerOf(await fetch(statusUrl + path)),
    acquire: (session, more = {}) =>
      call("POST", "/edge/v1/acquire", { edge: "gw-1", instance: INSTANCE, session, ...more }, KEYS.edgeCredential),
    lease: (asks, more = {}) =>
      call("POST", "/edge/v1/lease", { edge: "gw-1", instance: INSTANCE, asks, ...more }, KEYS.edgeCredential),
    report: (usage, more = {}) =>
      call(
        "POST",
        "/edge/v1/report",
        { edge: "gw-1", instance: INSTANCE, usage, more: false, ...more },
        KEYS.edgeCredential,
      ),
  };
}

/** The session and token of a 201. */
export interface Created {
  readonly session: SessionView;
  readonly token: string;
}

/** Issues a session, which must succeed. */
export async function created(plane: TestControlPlane, fields: object = {}): Promise<Created> {
  const answer = await plane.call("POST", "/v1/sessions", { userId: "u1", orgId: "o1", ...fields });
  expect(answer.status, answer.text).toBe(201);
  return answer.body as Created;
}

/** The session as GET shows it. */
export async function shown(plane: TestControlPlane, id: string): Promise<SessionView> {
  const answer = await plane.call("GET", `/v1/sessions/${id}`);
  expect(answer.status, answer.text).toBe(200);
  return (answer.body as { session: SessionView }).session;
}

/** That an answer is an error in the one form, and its detail. */
export function expectError(answer: Pick<Answer, "status" | "body">, code: ErrorCode, field?: string): string {
  expect(answer.status).toBe(ERRORS[code].status);
  const message = expect.any(String) as string;
  const said = { code, message, requestId: expect.stringMatching(/^[\w.:-]+$/) as string };
  expect(answer.body).toEqual({ error: field === undefined ? said : { ...said, field } });
  return (answer.body as ErrorBody).error.message;
}
