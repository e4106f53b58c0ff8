// One life of a control plane's process: the real use cases of leases over the shared store, with clocks of its own machine.
import { PATH_ACQUIRE, PATH_LEASE, PATH_REPORT, PATH_WATCH } from "../../../../assembly/contract.js";
import { acquireSessions } from "../../../../control-plane/src/app/edges/acquire-session.js";
import type { Acquired } from "../../../../control-plane/src/app/edges/acquired.js";
import { DroppedRows } from "../../../../control-plane/src/app/edges/dropped-rows.js";
import { leasePorts } from "../../../../control-plane/src/app/edges/lease-commits.js";
import { leaseTokens } from "../../../../control-plane/src/app/edges/lease-tokens.js";
import { reportUsage } from "../../../../control-plane/src/app/edges/report-usage.js";
import { EdgeRegistry } from "../../../../control-plane/src/app/edges/status/edge-registry.js";
import { usageCommits, type UsagePorts } from "../../../../control-plane/src/app/edges/usage.js";
import { isNotWritten } from "../../../../control-plane/src/app/ports/not-written.js";
import type { OperatorStore } from "../../../../control-plane/src/app/ports/operator-ports.js";
import type { SteadyClock } from "../../../../control-plane/src/app/ports/ports.js";
import { revokeSession } from "../../../../control-plane/src/app/sessions/revoke-session.js";
import { FleetClock } from "../../../../control-plane/src/app/upkeep/fleet-clock.js";
import type { PlansOfPolicy } from "../../../../control-plane/src/domain/plan.js";
import { leaseWishes, otherSessions } from "../../../../control-plane/src/http/edge/acquire-schemas.js";
import { readLeaseAsks } from "../../../../control-plane/src/http/edge/lease-asks.js";
import { leaseOf, leaseOfCall } from "../../../../control-plane/src/http/edge/lease-route.js";
import { readUsageRows } from "../../../../control-plane/src/http/edge/usage-rows.js";
import { noAudit } from "../../../../control-plane/test/support/no-audit.js";
import { StoreLink, type LeaseStore } from "./lease-store.js";

const OPERATOR = { actor: "simulation", issuedBy: null };
const nothing = (): void => undefined;
const LOGGER = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

interface Body {
  readonly edge: string;
  readonly instance: string;
}
interface Said {
  readonly usage?: readonly unknown[];
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly fleet?: readonly unknown[];
}
interface AcquireBody extends Body, Said {
  readonly session: string;
  readonly others?: readonly unknown[];
}
interface ReportBody extends Body, Said {
  readonly worker: string;
  readonly more: boolean;
}
interface WatchBody extends Body {
  readonly since: number;
  readonly log?: string;
}

const UNAVAILABLE: HttpAnswer = { status: 503, body: "" };

export interface LeasePlaneParts {
  /** Another one for each process. */
  readonly name: string;
  readonly store: LeaseStore;
  /** ms, of its machine. */
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
  readonly isShared: boolean;
  readonly policy: () => PlansOfPolicy;
}

export class LeasePlane {
  readonly link: StoreLink;
  readonly clock: FleetClock;
  readonly ports: UsagePorts;
  #timers: { readonly atMs: number; readonly call: () => void }[] = [];
  isGone = false;

  constructor(private readonly parts: LeasePlaneParts) {
    const { name, store, isShared } = parts;
    this.link = new StoreLink(store);
    this.clock = new FleetClock({ machine: parts, isShared, name });
    this.ports = this.#portsOf();
    void this.clock.begin(this.link.fleetTime).then(() => {
      const timers = { after: (ms: number, call: () => void) => this.#after(ms, call) };
      if (!this.isGone) this.clock.follow(this.link.fleetTime, timers);
    });
  }

  get name(): string {
    return this.parts.name;
  }

  /** Calls the timers that are due. */
  pass(): void {
    const nowMs = this.parts.monotonicMs();
    const due = this.#timers.filter(({ atMs }) => atMs <= nowMs);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter(({ atMs }) => atMs > nowMs);
    for (const { call } of due) call();
  }

  /** The process dies. */
  kill(): void {
    this.isGone = true;
    this.#timers = [];
    this.link.drop();
  }

  /** Answers a call of an edge, as its HTTP routes do. Undefined: it is held. */
  async handle(path: string, json: unknown): Promise<HttpAnswer | undefined> {
    try {
      if (path === PATH_LEASE) return await this.#lease(json as Body & { readonly asks: readonly unknown[] });
      if (path === PATH_ACQUIRE) return await this.#acquire(json as AcquireBody);
      if (path === PATH_REPORT) return await this.#report(json as ReportBody);
      return path === PATH_WATCH ? this.#watch(json as WatchBody) : { status: 404, body: "" };
    } catch (error) {
      if (isNotWritten(error)) return UNAVAILABLE;
      throw error;
    }
  }

  async revoke(sessionId: string): Promise<void> {
    try {
      await revokeSession(this.ports, sessionId, OPERATOR);
    } catch (error) {
      if (!isNotWritten(error)) throw error;
    }
  }

  async #lease({ edge, instance, asks }: Body & { readonly asks: readonly unknown[] }): Promise<HttpAnswer> {
    const answered = await leaseTokens(this.ports, { edge, instance, ...readLeaseAsks(asks) });
    return answered === undefined
      ? UNAVAILABLE
      : answer({ log: answered.log, leases: answered.leases.map(leaseOfCall) });
  }

  async #acquire(body: AcquireBody): Promise<HttpAnswer> {
    const { edge, instance, session, others = [], usage = [], limits, fleet } = body;
    const ids = otherSessions(others);
    const said = { ...readUsageRows(usage, { limits, fleet }), leases: leaseWishes([body, ...others]) };
    const [first, ...rest] = (await acquireSessions(this.ports, [session, ...ids], { edge, instance }, said)) ?? [];
    if (first === undefined) return UNAVAILABLE;
    const named = rest.map((one, index) => ({ session: ids[index], ...acquiredOf(one) }));
    return answer({ ...acquiredOf(first), others: named });
  }

  async #report({ usage = [], limits, fleet, ...report }: ReportBody): Promise<HttpAnswer> {
    const answered = await reportUsage(this.ports, { ...report, ...readUsageRows(usage, { limits, fleet }) });
    return answered === undefined ? UNAVAILABLE : answer(answered);
  }

  #watch({ log, since }: WatchBody): HttpAnswer | undefined {
    const { store } = this.parts;
    const { log: now, cursor } = store.position();
    if (log !== now || since > cursor) return answer({ reset: true, log: now, cursor });
    if (since === cursor) return undefined;
    return answer({ log: now, cursor, revoked: store.entries.slice(since), refresh: [] });
  }

  #after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.parts.monotonicMs() + ms, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  #portsOf(): UsagePorts {
    const { monotonicMs, wallMs, policy } = this.parts;
    const clock: SteadyClock = {
      nowMs: wallMs,
      monotonicMs,
      elapsedMs: (sinceMs) => Math.max(0, wallMs() - sinceMs),
      endsNotBeforeMs: () => -Infinity,
      isSettled: () => true,
    };
    const inForce = () => ({ generation: 0, policy: policy() });
    const published = () => ({
      ...inForce(),
      ...{ bytes: Buffer.alloc(0), hash: "", sinceMs: 0, decidedAtMs: null },
    });
    const policies = { current: inForce, published } as unknown as UsagePorts["policies"];
    const usageMeter = { reported: nothing, tokensConsumed: nothing, rowDropped: nothing, swept: nothing };
    const droppedRows = new DroppedRows({ clock, logger: LOGGER, meter: usageMeter });
    const updates = this.link;
    const meter = { leased: nothing, askDropped: nothing };
    return {
      ...{ store: this.link, usage: this.link.usage, operator: {} as OperatorStore, audit: noAudit, policies, clock },
      random: { bytes: (n) => new Uint8Array(n) },
      logger: LOGGER,
      meter: { sessionCreated: nothing, sessionRemoved: nothing, acquired: nothing },
      makeToken: () => "",
      instances: new EdgeRegistry({ clock, policies }),
      usageMeter,
      commits: usageCommits(updates, policies, usageMeter, droppedRows),
      droppedRows,
      ...leasePorts({ updates, policies, clock, fleetClock: this.clock, meter, logger: LOGGER }),
    };
  }
}

function acquiredOf(one: Acquired): object {
  if (one.state !== "live") return one;
  const { lease, ...live } = one;
  return lease === undefined ? live : { ...live, lease: leaseOf(lease) };
}

const answer = (what: object): HttpAnswer => ({ status: 200, body: JSON.stringify(what) });
