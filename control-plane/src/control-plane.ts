// What the control plane consists of: builds everything over what it is given, and starts it.
import type { Logger as PinoLogger } from "pino";

import { MAX_POLICY_BYTES } from "../../assembly/contract.js";
import type { ObservedIssuers } from "./app/access/issuers.js";
import { startRetention } from "./app/upkeep/retention.js";
import { BulkRevocations } from "./app/sessions/bulk-revocations.js";
import { Confirmations } from "./app/edges/confirmations.js";
import { startEdgeConditions } from "./app/edges/status/edge-conditions.js";
import { DroppedRows } from "./app/edges/dropped-rows.js";
import { EdgeFigures } from "./app/edges/figures/edge-figures.js";
import { EdgeSurveys } from "./app/edges/status/edge-survey.js";
import type { ClockOfMost } from "./app/edges/status/edge-clocks.js";
import { edgesNow, edgesPage, sureClockOfMost } from "./app/edges/status/edge-pages.js";
import type { EdgePage } from "./app/edges/status/edge-pages.js";
import { runningGenerations } from "./app/edges/status/running-generations.js";
import { InstanceAdmission } from "./app/edges/status/instance-admission.js";
import { UnauthenticatedCalls } from "./app/edges/status/unauthenticated-calls.js";
import { ClaimedWork } from "./app/upkeep/claimed-work.js";
import { startLogKeeping } from "./app/upkeep/log-retention.js";
import { Watches } from "./app/edges/watches.js";
import { DurationMetrics } from "./http/status/duration-metrics.js";
import { EdgeMetrics } from "./http/status/edge-metrics.js";
import { FigureMetrics } from "./http/status/figure-metrics.js";
import { observeClock } from "./http/status/clock-metrics.js";
import { observeLog } from "./http/status/log-metrics.js";
import { observeIssuers } from "./http/status/issuer-metrics.js";
import { observePolicy } from "./http/status/policy-metrics.js";
import { LiveSessions } from "./app/upkeep/live-sessions.js";
import { keepGenerations } from "./app/policy/generations-kept.js";
import { PolicyService } from "./app/policy/policy-service.js";
import type { Stores } from "./app/ports/stores.js";
import { startSweeping } from "./app/upkeep/sweep-schedule.js";
import { usageCommits } from "./app/edges/usage.js";
import { readPolicyDocument } from "./domain/policy/read-policy.js";
import { makeToken } from "./domain/token.js";
import { followedFile } from "./files/followed-file.js";
import { ConnectionCounts } from "./http/status/connection-metrics.js";
import { Metrics } from "./http/status/metrics.js";
import type { LiveByPlan } from "./http/status/metrics.js";
import type { Readiness } from "./http/status/readiness.js";
import { ClaimMetrics, observeStore } from "./http/status/store-metrics.js";
import { UsageMetrics } from "./http/status/usage-metrics.js";
import { closeServer } from "./http/connections.js";
import { buildHttpServer } from "./http/server.js";
import { renewalOf } from "./http/transport.js";
import type { FileReader } from "./files/file-reader.js";
import { HttpTls } from "./tls/http-tls.js";
import type { Settings } from "./settings/settings.js";
import { listenAt } from "./listening.js";
import { startStatusListener } from "./status-listener.js";
import type { ActivePolicy, Clock, CurrentPolicy, Random, SteadyClock } from "./app/ports/ports.js";
import { SharedClock } from "./app/upkeep/shared-clock.js";
import { SteadyTime } from "./app/upkeep/steady-clock.js";
import type { Timers } from "./app/ports/log-ports.js";
import type { Requests, Spans } from "./app/ports/tracing-ports.js";
import { onceStoreTakes } from "./start-patience.js";
import { startInstances } from "./start-instances.js";
import type { KnownOfEdges } from "./start-instances.js";
import { startIssuers } from "./start-issuers.js";
import { startLeases } from "./start-leases.js";
import { startStore } from "./start-store.js";
import { startTracing } from "./start-tracing.js";
import type { Started } from "./started.js";
import { tracedStore } from "./tracing/traced-store.js";

const OPENED = "the API is being opened";

/** What the process gives. `started` undoes, in reverse, whatever has been started. */
export interface Given {
  readonly settings: Settings;
  /** Apart: a certificate is renewed, and an issuer is taken out, also while the policy's file system hangs. */
  readonly files: { readonly policy: FileReader; readonly tls: FileReader; readonly issuers: FileReader };
  readonly log: PinoLogger;
  /** Lines of the log that could not be written so far. */
  readonly lostLines: () => number;
  /** The machine's. */
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly started: Started;
  /** On whose behalf something is done; the log goes by it too. */
  readonly requests: Requests;
  /** Ends the process at once, for a new one to take its place. */
  readonly end: () => void;
}

/** The same, with the clock that everything is decided by. */
interface Start extends Given {
  readonly clock: SteadyClock;
}

/** Resolves once it listens. @throws StartFailure, NoPolicyError: what has been started is in `started` */
export async function startControlPlane(given: Given): Promise<void> {
  const { log, started, settings, requests } = given;
  const policy = { current: (): ActivePolicy | undefined => undefined };
  const shared = new SharedClock({ machine: given.clock, logger: log });
  const clock = startClock({ ...given, clock: shared }, policy);
  const live: { byPlan: LiveByPlan } = { byPlan: () => Promise.resolve(new Map()) };
  const metrics = new Metrics(() => live.byPlan());
  const connectionCounts = new ConnectionCounts(metrics.registry);
  const status = await startStatusListener({ ...given, clock, metrics, connectionCounts });
  const { readiness } = status;
  const spans = await startTracing({ ...given, clock, registry: metrics.registry });
  const start = { ...given, clock };
  readiness.startsWith("the issuers are being read");
  const issuers = await startIssuers(start);
  const durations = new DurationMetrics(metrics.registry);
  const updateTook = durations.updateTook.bind(durations);
  const opened = await startStore({
    ...given,
    shared,
    steady: clock,
    readiness,
    registry: metrics.registry,
    updateTook,
  });
  const { engine } = settings.store;
  const store = spans === undefined ? opened : tracedStore(opened, { requests, spans, engine });
  const policies = await startPolicies({ ...start, readiness }, store);
  policy.current = () => policies.current();
  const sessions = new LiveSessions(store, policies, clock);
  live.byPlan = () => sessions.byPlan();
  observePolicy(metrics.registry, policies);
  observeClock(metrics.registry, clock);
  observeStore(metrics.registry, store.health);
  observeIssuers(metrics.registry, issuers);
  observeLog(metrics.registry, start.lostLines);
  const edgeMeter = new EdgeMetrics(metrics.registry);
  const { instances, others } = await startInstances({ ...start, store, policies, edgeMeter, readiness });
  const running = (): ReadonlySet<number> => runningGenerations(instances.known(0));
  started.add(keepGenerations({ policies, store: store.policies, running, logger: log }));
  readiness.startsWith(OPENED);
  const meter = new ClaimMetrics(metrics.registry);
  const claimed = new ClaimedWork({ claims: store.claims, clock, logger: log, meter });
  const known = { issuers, store, claimed, policies, instances, others };
  const parts = { ...start, ...known, spans, metrics, edgeMeter, durations, connectionCounts, readiness };
  const http = await serveHttp({ ...parts, statusAddress: status.hostPort });
  readiness.started({ store, health: store.health, policies });
  // The first to be undone: not ready before anything ends.
  started.add(() => {
    readiness.stopping();
  });
  const addresses = { http: http.addresses(), status: status.addresses };
  log.info({ event: "listening", ...addresses }, "the control plane is listening");
}

/** A jump of the machine's clock waits for a grace of the policy in force, and of the default before there is one. */
function startClock({ clock, timers, log, started }: Given, policies: CurrentPolicy): SteadyTime {
  const steady = new SteadyTime({ machine: clock, logger: log, policies });
  started.add(steady.follow(timers));
  return steady;
}

interface Parts extends Start, KnownOfEdges {
  readonly issuers: ObservedIssuers;
  readonly store: Stores;
  readonly claimed: ClaimedWork;
  readonly policies: PolicyService;
  readonly metrics: Metrics;
  readonly edgeMeter: EdgeMetrics;
  readonly durations: DurationMetrics;
  readonly connectionCounts: ConnectionCounts;
  readonly statusAddress: string;
  readonly readiness: Readiness;
  readonly spans: Spans | undefined;
}

/** The REST API and the edge protocol, with the work that goes on beside the calls. */
async function serveHttp(parts: Parts) {
  const { settings, files, issuers, store, claimed, policies, metrics, clock, timers, random, log, started } = parts;
  const { operator, audit } = store;
  const tls = await HttpTls.load(settings.http.tls, files.tls);
  const invalidations = await startInvalidations(parts);
  const usage = await startUsage(parts);
  const { retention } = settings;
  started.add(startRetention({ store, operator, audit, retention, claimed, clock, logger: log }));
  const { keys, adminTokens, apiRate, trustedProxies, connections } = settings;
  const token = (sessionId: string, planId: number): string => makeToken({ sessionId, planId }, keys);
  const http = await buildHttpServer({
    policyStatus: policies,
    installation: {
      notReady: () => parts.readiness.reason(),
      isIssuersFileRejected: () => issuers.isFileRejected(),
    },
    ports: { store, operator, audit, policies, clock, random, logger: log, meter: metrics, makeToken: token, ...usage },
    metrics,
    log,
    adminTokens,
    issuers,
    apiRate,
    trustedProxies,
    connections,
    connectionCounts: parts.connectionCounts,
    statusAddress: parts.statusAddress,
    tls: tls.atStart,
    edgeCredentials: edgeCredentialsOf(settings),
    requests: parts.requests,
    spans: parts.spans,
    figures: new EdgeFigures({ clock, meter: new FigureMetrics(metrics.registry), logger: log }),
    edgeCallTook: parts.durations.edgeCallTook.bind(parts.durations),
    ...invalidations,
  });
  started.add(() => closeServer(http));
  await listenAt(http, settings.http, "SLUICE_HTTP");
  started.add(tls.follow(renewalOf(http.server), timers, log));
  return http;
}

/** Two during a rotation of the secret. */
function edgeCredentialsOf({ keys, keysAlso }: Settings): string[] {
  return [keys, keysAlso].flatMap((one) => (one === undefined ? [] : [one.edgeCredential]));
}

/** Watches, revocations of many sessions, and what is known of edges, as the HTTP server takes them. */
async function startInvalidations(parts: Parts) {
  const { settings, store, claimed, policies, instances, metrics, edgeMeter, clock, timers, random, log, started } =
    parts;
  const { invalidations, revocations: stored } = store;
  const meter = edgeMeter;
  const watches = new Watches({ log: invalidations, policies, timers, clock, instances, meter, logger: log });
  const seen = { instances, log: invalidations, policies, clock };
  const surveys = new EdgeSurveys(seen);
  meter.observe(
    () => surveys.now(),
    () => watches.heldCount(),
  );
  const clockOfMost = (): ClockOfMost | null => sureClockOfMost(seen);
  started.add(startEdgeConditions({ edges: () => edgesNow(seen), clockOfMost, clock, timers, logger: log }));
  const edges = (after: string, limit: number): Promise<EdgePage> => edgesPage(seen, after, limit);
  const counted = (): void => {
    meter.callDenied();
  };
  const unauthenticated = new UnauthenticatedCalls({ clock, logger: log, counted });
  const denied = (): void => {
    meter.instanceDenied();
  };
  const admission = new InstanceAdmission({ clock, logger: log, instances, denied });
  const revocations = new BulkRevocations({
    store: stored,
    updates: store,
    claimed,
    isShared: isShared(store),
    clock,
    timers,
    random,
    logger: log,
    meter: metrics,
  });
  await onceStoreTakes(parts, OPENED, () => revocations.start());
  started.add(() => revocations.stop());
  const { logKept: kept } = settings;
  started.add(startLogKeeping({ log: invalidations, revocations: stored, kept, claimed, clock, timers, logger: log }));
  const confirmations = new Confirmations(instances, timers, parts.others);
  return { watches, revocations, confirmations, invalidations, edges, unauthenticated, admission };
}

async function startPolicies(start: Start & { readonly readiness: Readiness }, store: Stores) {
  const { settings, files, clock, timers, log, started } = start;
  const parts = {
    source: followedFile({ path: settings.policyPath, maxBytes: MAX_POLICY_BYTES, reader: files.policy, timers }),
    validate: { readPolicyDocument },
    store: store.policies,
    audit: store.audit,
    sessions: store,
    operator: store.operator,
    clock,
    logger: log,
    shared: isShared(store) ? { timers, position: () => store.position() } : undefined,
  };
  const policies = await onceStoreTakes(start, "the policy is being read", () => PolicyService.start(parts));
  started.add(() => policies.stop());
  return policies;
}

/** One that has a clock of its own is for several processes. */
const isShared = ({ storeTime }: Stores): boolean => storeTime !== undefined;

/** What was spent, and the sweep of sessions that have ended. */
async function startUsage(parts: Parts) {
  const { store, claimed, policies, instances, metrics, clock, timers, log, started, requests } = parts;
  const usageMeter = new UsageMetrics(metrics.registry);
  const droppedRows = new DroppedRows({ clock, logger: log, meter: usageMeter });
  const commits = usageCommits(store, policies, usageMeter, droppedRows, requests);
  const leases = await startLeases({ ...parts, registry: metrics.registry });
  const usage = { usage: store.usage, instances, commits, usageMeter, droppedRows, ...leases };
  started.add(startSweeping({ store, policies, clock, logger: log, meter: metrics, ...usage }, claimed, timers));
  return usage;
}
