// One life of the control plane's process: its real use cases over the simulation's store, clock and timers.
import { PATH_ACQUIRE, PATH_REPORT, PATH_WATCH } from "../../assembly/contract.js";
import { acquireSession } from "../../control-plane/src/app/acquire-session.js";
import { EdgeInstances } from "../../control-plane/src/app/edge-instances.js";
import type { Timers } from "../../control-plane/src/app/log-ports.js";
import type { OperatorStore } from "../../control-plane/src/app/operator-ports.js";
import type { Clock } from "../../control-plane/src/app/ports.js";
import { reportUsage } from "../../control-plane/src/app/report-usage.js";
import { revokeSession } from "../../control-plane/src/app/revoke-session.js";
import { sweepSessions } from "../../control-plane/src/app/sweep-sessions.js";
import { usageCommits } from "../../control-plane/src/app/usage.js";
import type { UsagePorts } from "../../control-plane/src/app/usage.js";
import { Watches } from "../../control-plane/src/app/watches.js";
import type { PlansOfPolicy } from "../../control-plane/src/domain/plan.js";
import { noAudit } from "../../control-plane/test/support/no-audit.js";
import type { SimStore } from "./sim-store.js";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

type Row = readonly [string, number, number, number, number];
type Body = {
  readonly [name in "edge" | "instance" | "worker" | "session" | "log" | "policyHash"]: string;
} & { readonly usage: readonly Row[]; readonly more: boolean; readonly since: number; readonly generation: number };

const UNAVAILABLE: HttpAnswer = { status: 503, body: "" };
const nothing = (): void => undefined;

export class SimPlane {
  readonly #ports: UsagePorts;
  readonly #watches: Watches;

  constructor(store: SimStore, policy: PlansOfPolicy, clock: Clock, timers: Timers) {
    const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const policies = { current: () => ({ generation: 1, policy }) };
    const usageMeter = { reported: nothing, tokensConsumed: nothing, swept: nothing };
    const instances = new EdgeInstances(clock);
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
    this.#watches = new Watches({ log: store, timers, clock, meter, logger, instances });
  }

  /** Answers a call of an edge, as its HTTP routes do. */
  async handle(path: string, json: unknown, gone: AbortSignal): Promise<HttpAnswer> {
    const body = json as Body;
    const { edge, instance } = body;
    if (path === PATH_ACQUIRE) return answer(await acquireSession(this.#ports, body.session, { edge, instance }));
    if (path === PATH_REPORT) {
      const rows = body.usage.map(([sessionId, rev, consumed, levelMicro, idleMs]) => {
        return { sessionId, rev, consumed, levelMicro, idleMs };
      });
      return answer(await reportUsage(this.#ports, { edge, instance, worker: body.worker, rows, more: body.more }));
    }
    if (path !== PATH_WATCH) return { status: 404, body: "" };
    const { since, generation, policyHash } = body;
    const log = (json as Partial<Body>).log;
    const watched = await this.#watches.watch({ edge, instance, log, since, generation, policyHash }, gone);
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
