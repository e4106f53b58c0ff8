// One life of the control plane's process: its real use cases over the simulation's store, clock and timers.
import {
  HEADER_GENERATION,
  HEADER_LOG,
  HEADER_POLICY_HASH,
  HEADER_REPORT_SPREAD,
  PATH_ACQUIRE,
  PATH_REPORT,
  PATH_WATCH,
} from "../../assembly/contract.js";
import { acquireSession } from "../../control-plane/src/app/acquire-session.js";
import { EdgeRegistry } from "../../control-plane/src/app/edges/edge-registry.js";
import type { HeardPolicy, WorkerPolicy } from "../../control-plane/src/app/edges/edge-ports.js";
import type { Timers } from "../../control-plane/src/app/log-ports.js";
import type { OperatorStore } from "../../control-plane/src/app/operator-ports.js";
import type { PolicyPublisher } from "../../control-plane/src/app/policy-ports.js";
import type { Clock } from "../../control-plane/src/app/ports.js";
import { reportUsage } from "../../control-plane/src/app/report-usage.js";
import { revokeSession } from "../../control-plane/src/app/revoke-session.js";
import { sweepSessions } from "../../control-plane/src/app/sweep-sessions.js";
import { usageCommits } from "../../control-plane/src/app/usage.js";
import type { UsagePorts } from "../../control-plane/src/app/usage.js";
import type { PolicyOffer, WatchRequest } from "../../control-plane/src/app/watch-ports.js";
import { Watches } from "../../control-plane/src/app/watches.js";
import type { PlansOfPolicy } from "../../control-plane/src/domain/plan.js";
import { noAudit } from "../../control-plane/test/support/no-audit.js";
import type { SimStore } from "./sim-store.js";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Row = readonly [string, number, number, number, number];
interface Body {
  readonly edge: string;
  readonly instance: string;
}
interface AcquireBody extends Body {
  readonly session: string;
}
interface ReportBody extends Body {
  readonly worker: string;
  readonly build?: string;
  readonly policy?: WorkerPolicy;
  readonly usage: readonly Row[];
  readonly more: boolean;
}
interface WatchBody extends Body, Partial<Pick<WatchRequest, "log" | "follow" | "filter" | "table">> {
  readonly since: number;
  readonly policy?: Omit<HeardPolicy, "violations"> & Partial<HeardPolicy>;
}

const UNAVAILABLE: HttpAnswer = { status: 503, body: "" };
const nothing = (): void => undefined;
const NO_POLICY: PolicyPublisher = { published: nothing as () => undefined, subscribe: () => nothing, shown: nothing };

export class SimPlane {
  readonly #ports: UsagePorts;
  readonly #watches: Watches;

  /** @param publisher what edges are given on their watches; left out: nothing */
  constructor(store: SimStore, policy: PlansOfPolicy, clock: Clock, timers: Timers, publisher = NO_POLICY) {
    const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const policies = { current: () => ({ generation: 1, policy }) };
    const usageMeter = { reported: nothing, tokensConsumed: nothing, swept: nothing };
    const instances = new EdgeRegistry({ clock, policies });
    this.#ports = {
      store,
      usage: store.usage,
      // No use case of the simulation goes to the operators' part of the store.
      operator: {} as OperatorStore,
      audit: noAudit,
      policies,
      clock,
      random: { bytes: (n) => new Uint8Array(n) },
      logger,
      meter: { sessionCreated: nothing, sessionRemoved: nothing, acquired: nothing },
      makeToken: () => "",
      instances,
      usageMeter,
      commits: usageCommits(store.usage, policies, usageMeter),
    };
    const meter = { watchEnded: nothing, propagated: nothing };
    const offered = {
      current: policies.current,
      published: (edge: string) => publisher.published(edge),
      subscribe: (listener: () => void) => publisher.subscribe(listener),
      shown: (generation: number) => {
        publisher.shown(generation);
      },
    };
    this.#watches = new Watches({ log: store, policies: offered, timers, clock, meter, logger, instances });
  }

  /** Answers a call of an edge, as its HTTP routes do. */
  async handle(path: string, json: unknown, gone: AbortSignal): Promise<HttpAnswer> {
    if (path === PATH_ACQUIRE) return this.#acquire(json as AcquireBody);
    if (path === PATH_REPORT) return this.#report(json as ReportBody);
    return path === PATH_WATCH ? this.#watch(json as WatchBody, gone) : { status: 404, body: "" };
  }

  async #acquire({ edge, instance, session }: AcquireBody): Promise<HttpAnswer> {
    return answer(await acquireSession(this.#ports, session, { edge, instance }));
  }

  async #report({ usage, ...report }: ReportBody): Promise<HttpAnswer> {
    const rows = usage.map(([sessionId, rev, consumed, levelMicro, idleMs]) => {
      return { sessionId, rev, consumed, levelMicro, idleMs };
    });
    return answer(await reportUsage(this.#ports, { ...report, rows }));
  }

  async #watch(body: WatchBody, gone: AbortSignal): Promise<HttpAnswer> {
    const { edge, instance, log, since, follow = true, filter, table } = body;
    const policy = body.policy && { violations: [], ...body.policy };
    const watched = await this.#watches.watch({ edge, instance, log, since, follow, policy, filter, table }, gone);
    if (watched.outcome === "policy") return policyAnswer(watched.offer);
    return watched.outcome === "answered" ? answer(watched.answer) : UNAVAILABLE;
  }

  async revoke(sessionId: string): Promise<void> {
    await revokeSession(this.#ports, sessionId, "simulation");
  }

  async sweep(): Promise<void> {
    await sweepSessions(this.#ports, () => false);
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
