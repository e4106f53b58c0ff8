// One life of the control plane's process: its real use cases over the simulation's store, clock and timers.
import {
  HEADER_GENERATION,
  HEADER_LOG,
  HEADER_POLICY_HASH,
  HEADER_REPORT_SPREAD,
  PATH_ACQUIRE,
  PATH_REPORT,
  PATH_WATCH,
} from "../../../assembly/contract.js";
import { acquireSessions } from "../../../control-plane/src/app/edges/acquire-session.js";
import { DroppedRows } from "../../../control-plane/src/app/edges/dropped-rows.js";
import { EdgeRegistry } from "../../../control-plane/src/app/edges/status/edge-registry.js";
import type { KnownInstance } from "../../../control-plane/src/app/edges/status/registry-entry.js";
import { instanceState } from "../../../control-plane/src/app/edges/status/edge-status.js";
import type { ReceivedPolicy, WorkerPolicy } from "../../../control-plane/src/app/ports/edge-ports.js";
import type { FollowedText } from "../../../control-plane/src/app/ports/followed-text.js";
import type { Timers } from "../../../control-plane/src/app/ports/log-ports.js";
import type { OperatorStore } from "../../../control-plane/src/app/ports/operator-ports.js";
import type { PolicyValidator, PublishedPolicy } from "../../../control-plane/src/app/ports/policy-ports.js";
import { PolicyService } from "../../../control-plane/src/app/policy/policy-service.js";
import type { SteadyClock } from "../../../control-plane/src/app/ports/ports.js";
import { reportUsage } from "../../../control-plane/src/app/edges/report-usage.js";
import { readUsageRows } from "../../../control-plane/src/http/edge/usage-rows.js";
import { revokeSession } from "../../../control-plane/src/app/sessions/revoke-session.js";
import { sweepSessions } from "../../../control-plane/src/app/upkeep/sweep-sessions.js";
import { usageCommits } from "../../../control-plane/src/app/edges/usage.js";
import type { UsagePorts } from "../../../control-plane/src/app/edges/usage.js";
import type { PolicyOffer, WatchRequest } from "../../../control-plane/src/app/ports/watch-ports.js";
import { Watches } from "../../../control-plane/src/app/edges/watches.js";
import { quietLeases } from "../../../control-plane/test/support/leases.js";
import { noAudit } from "../../../control-plane/test/support/no-audit.js";
import type { SimStore } from "./sim-store.js";

const OPERATOR = { actor: "simulation", issuedBy: null };

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Body {
  readonly edge: string;
  readonly instance: string;
}
interface AcquireBody extends Body {
  readonly session: string;
  readonly others?: readonly { readonly session: string }[];
  readonly usage?: readonly unknown[];
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly fleet?: readonly unknown[];
}
interface ReportBody extends Body {
  readonly worker: string;
  readonly build?: string;
  readonly policy?: WorkerPolicy;
  readonly usage: readonly unknown[];
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly fleet?: readonly unknown[];
  readonly more: boolean;
}
interface WatchBody extends Body, Partial<Pick<WatchRequest, "log" | "follow" | "filter" | "table" | "wallMs">> {
  readonly since: number;
  readonly policy?: Omit<ReceivedPolicy, "violations"> & Partial<ReceivedPolicy>;
}

const UNAVAILABLE: HttpAnswer = { status: 503, body: "" };
const nothing = (): void => undefined;
const LOGGER = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export interface SimPlaneParts {
  readonly store: SimStore;
  readonly clock: SteadyClock;
  readonly timers: Timers;
  readonly file: FollowedText;
  readonly validate: PolicyValidator;
}

/** What serves once there is a policy to serve by. */
interface Service {
  readonly policies: PolicyService;
  readonly registry: EdgeRegistry;
  readonly ports: UsagePorts;
  readonly watches: Watches;
}

export class SimPlane {
  #service: Service | undefined;
  #stopped = false;

  constructor(private readonly parts: SimPlaneParts) {
    void this.#start();
  }

  /** What edges are to run; undefined before it serves. */
  published(edge: string): PublishedPolicy | undefined {
    return this.#service?.policies.published(edge);
  }

  /** What it knows of an edge's table, and the status that follows from it. */
  knows(edge: string, instance: string, log: string): { said: KnownInstance; state: string } | undefined {
    const service = this.#service;
    const said = service?.registry.known(0).find((one) => one.edge === edge && one.instance === instance);
    if (service === undefined || said === undefined) return undefined;
    const windowMs = service.registry.windowMs();
    const parts = { published: service.policies.published(edge), log, windowMs, nowMs: this.parts.clock.monotonicMs() };
    return { said, state: instanceState(said, parts) };
  }

  /** It decides nothing any more, and answers no edge. */
  stop(): void {
    this.#stopped = true;
    void this.#service?.policies.stop();
    this.#service = undefined;
  }

  /** Answers a call of an edge, as its HTTP routes do. */
  async handle(path: string, json: unknown, gone: AbortSignal): Promise<HttpAnswer> {
    const service = this.#service;
    if (service === undefined) return UNAVAILABLE;
    if (path === PATH_ACQUIRE) return this.#acquire(service, json as AcquireBody);
    if (path === PATH_REPORT) return this.#report(service, json as ReportBody);
    return path === PATH_WATCH ? this.#watch(service, json as WatchBody, gone) : { status: 404, body: "" };
  }

  async revoke(sessionId: string): Promise<void> {
    if (this.#service !== undefined) await revokeSession(this.#service.ports, sessionId, OPERATOR);
  }

  async sweep(): Promise<void> {
    if (this.#service !== undefined) await sweepSessions(this.#service.ports, () => false);
  }

  async #start(): Promise<void> {
    const { store, clock, timers, file, validate } = this.parts;
    const sessions = { countLive: () => store.countLive() };
    // No policy of the simulation shortens a duration: nobody's sessions are counted.
    const operator = { sessionsBefore: () => Promise.resolve([]) };
    const kept = { store: store.policies, audit: noAudit, sessions, operator };
    const wanted = { source: file, validate, clock, logger: LOGGER, ...kept };
    const policies = await PolicyService.start(wanted);
    if (this.#stopped) {
      void policies.stop();
      return;
    }
    const registry = new EdgeRegistry({ clock, policies });
    const ports = this.#portsOf(policies, registry);
    const meter = { watchEnded: nothing, propagated: nothing };
    const watches = new Watches({
      ...{ log: store, policies, timers, clock, meter, logger: LOGGER, instances: registry },
      nextTurn: () => Promise.resolve(),
    });
    this.#service = { policies, registry, ports, watches };
  }

  #portsOf(policies: PolicyService, instances: EdgeRegistry): UsagePorts {
    const { store, clock } = this.parts;
    const usageMeter = { reported: nothing, tokensConsumed: nothing, rowDropped: nothing, swept: nothing };
    const droppedRows = new DroppedRows({ clock, logger: LOGGER, meter: usageMeter });
    return {
      store,
      usage: store.usage,
      // No use case of the simulation goes to the operators' part of the store.
      operator: {} as OperatorStore,
      audit: noAudit,
      policies,
      clock,
      random: { bytes: (n) => new Uint8Array(n) },
      logger: LOGGER,
      meter: { sessionCreated: nothing, sessionRemoved: nothing, acquired: nothing },
      makeToken: () => "",
      instances,
      usageMeter,
      commits: usageCommits(store, policies, usageMeter, droppedRows),
      droppedRows,
      ...quietLeases({ updates: store, policies, clock, logger: LOGGER }),
    };
  }

  async #acquire(
    { ports }: Service,
    { edge, instance, session, others = [], usage = [], limits, fleet }: AcquireBody,
  ): Promise<HttpAnswer> {
    const ids = [session, ...others.map((other) => other.session)];
    const spent = readUsageRows(usage, { limits, fleet });
    const [first, ...rest] = (await acquireSessions(ports, ids, { edge, instance }, spent)) ?? [];
    if (first === undefined) return UNAVAILABLE;
    return answer({ ...first, others: rest.map((one, index) => ({ session: ids[index + 1], ...one })) });
  }

  async #report({ ports }: Service, { usage, limits, fleet, ...report }: ReportBody): Promise<HttpAnswer> {
    return answer(await reportUsage(ports, { ...report, ...readUsageRows(usage, { limits, fleet }) }));
  }

  async #watch({ watches }: Service, body: WatchBody, gone: AbortSignal): Promise<HttpAnswer> {
    const { edge, instance, log, since, follow = true, filter, table, wallMs } = body;
    const policy = body.policy && { violations: [], ...body.policy };
    const said = { edge, instance, log, since, follow, policy, filter, table, wallMs, address: undefined };
    const watched = await watches.watch(said, gone);
    if (watched.outcome === "policy") return policyAnswer(watched.offer);
    return watched.outcome === "answered" ? answer(watched.answer) : UNAVAILABLE;
  }
}

function answer(what: object | undefined): HttpAnswer {
  return what === undefined ? UNAVAILABLE : { status: 200, body: JSON.stringify(what) };
}

function policyAnswer({ log, policy, reportSpreadMs }: PolicyOffer): HttpAnswer {
  const headers = {
    [HEADER_LOG]: log,
    [HEADER_GENERATION]: String(policy.generation),
    [HEADER_POLICY_HASH]: policy.hash,
    [HEADER_REPORT_SPREAD]: String(reportSpreadMs),
  };
  return { status: 200, body: policy.bytes.toString(), headers };
}
