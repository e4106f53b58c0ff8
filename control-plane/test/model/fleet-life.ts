// Control planes over one real store, with the fleet clock that the product has and a time that only tests move; and the calls
// of Envoys, as they stand on the wire.
import { acquireSessions } from "../../src/app/edges/acquire-session.js";
import { leaseTokens } from "../../src/app/edges/lease-tokens.js";
import type { UsagePorts } from "../../src/app/edges/usage.js";
import type { Stores } from "../../src/app/ports/stores.js";
import type { PlanOfPolicy } from "../../src/domain/plan.js";
import type { LeaseAnswer, LeaseAsk } from "../../src/domain/leases/lease-ask.js";
import type { Instance } from "../../src/domain/instance.js";
import { leaseWishes } from "../../src/http/edge/acquire-schemas.js";
import { readLeaseAsks } from "../../src/http/edge/lease-asks.js";
import { leaseOf, leaseOfCall } from "../../src/http/edge/lease-route.js";
import { FixedClock } from "../support/fixed-clock.js";
import { ManualTimers } from "../support/manual-timers.js";
import { PoliciesInForce } from "../support/policies-in-force.js";
import { REPORTING } from "../support/sessions.js";
import type { SentAsk } from "../domain/leases/lease-edge.js";
import type { FleetEngine } from "./fleet-life-engines.js";
import { FleetPlane } from "./fleet-life-plane.js";

/** As often as control planes that share a store tell it their time. */
const STEP_MS = 100;

/** What an edge is answered about one session: no lease where nothing is leased of it. */
export type FleetAnswer = LeaseAnswer | "none";

export class FleetLife {
  readonly clock = new FixedClock();
  readonly policies = new PoliciesInForce(this.clock);
  timers = new ManualTimers(this.clock);
  isShared = false;
  /** The store's present life. */
  log = "";
  /** ms of its fleet clock. */
  beganMs = 0;
  private planes: FleetPlane[] = [];
  private generation = 0;
  private lastMs = 0;
  private countedMs = 0;
  private processes = 0;

  constructor(readonly engine: FleetEngine) {}

  async start(plans: readonly PlanOfPolicy[]): Promise<void> {
    this.setPlans(plans);
    await this.run(await this.engine.open());
    await this.noteLife();
  }

  setPlans(plans: readonly PlanOfPolicy[]): void {
    this.generation += 1;
    this.policies.put({ generation: this.generation, policy: { ...REPORTING, plans } });
  }

  portsOf(nth: number): UsagePorts {
    return this.plane(nth).ports;
  }

  cutOff(nth: number, isCutOff: boolean): void {
    this.plane(nth).isCutOff = isCutOff;
  }

  /** ms by the furthest clock of the present life, those of the lives before in front. It stands where all of them stand. */
  fleetMs(): number {
    const own = this.planes.flatMap(({ fleetClock }) => fleetClock.now() ?? []).filter(({ log }) => log === this.log);
    const nowMs = Math.max(this.lastMs, ...own.map(({ ms }) => ms));
    this.countedMs += nowMs - this.lastMs;
    this.lastMs = nowMs;
    return this.countedMs;
  }

  /** The same without the lives before. */
  fleetMsOfLife(): number {
    this.fleetMs();
    return this.lastMs;
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.timers.advance(Math.min(left, STEP_MS));
      for (const { calls } of this.planes) await Promise.all(calls.splice(0));
      for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    }
  }

  /** All processes are killed, and others are started. */
  async restart(): Promise<void> {
    this.fleetMs();
    await this.close();
    await this.run(await this.engine.reopen());
    // What they had not told the store is counted again, while time passes again.
    this.lastMs = (await this.plane(0).store.fleetTime.read()).ms;
  }

  async failOver(): Promise<void> {
    if (!this.engine.outlivesStore) await this.close();
    const stores = await this.engine.failOver();
    if (this.engine.outlivesStore) this.planes.forEach((plane, i) => (plane.store = stores[i] ?? plane.store));
    else await this.run(stores);
    await this.noteLife();
  }

  async end(): Promise<void> {
    await this.close();
    await this.engine.end();
  }

  /** One lease call. Answers of each ask, in their order. */
  async lease(
    nth: number,
    asker: Instance,
    asks: readonly { readonly id: string; readonly ask: LeaseAsk }[],
  ): Promise<FleetAnswer[]> {
    const ofCall = asks.map(({ id: session, ask: { ask, applied, left, back, settled, cost, want } }) => {
      return { session, ask, applied, left, back, settled, cost, want };
    });
    const { edge, instance } = asker;
    const said = readLeaseAsks(onWire(ofCall));
    const answer = await leaseTokens(this.portsOf(nth), { edge, instance, ...said });
    return onWire(answer?.leases.map(leaseOfCall) ?? []).map((one) => ("over" in one ? "none" : answerIn(one)));
  }

  /** An acquire that says what it wants. Answers the session's state too. */
  async acquire(nth: number, asker: Instance, id: string, { ask }: SentAsk): Promise<[string, FleetAnswer]> {
    const { at, cost, want } = ask;
    const leases = leaseWishes(onWire([{ session: id, lease: { at, cost, want } }]));
    const said = { rows: [], malformed: [], leases };
    const [answer] = (await acquireSessions(this.portsOf(nth), [id], asker, said)) ?? [];
    if (answer === undefined) throw new Error("no policy is in force");
    const lease =
      answer.state === "live" && answer.lease !== undefined ? answerIn(onWire(leaseOf(answer.lease))) : "none";
    return [answer.state, lease];
  }

  private plane(nth: number): FleetPlane {
    const plane = this.planes[nth % this.planes.length];
    if (plane === undefined) throw new Error("no control plane runs");
    return plane;
  }

  private async run(stores: readonly Stores[]): Promise<void> {
    this.timers = new ManualTimers(this.clock);
    this.isShared = stores.length > 1;
    this.planes = stores.map((store) => new FleetPlane(store, this, `p${String(++this.processes)}`));
    for (const plane of this.planes) await plane.begin();
  }

  private async close(): Promise<void> {
    for (const { calls, store } of this.planes) {
      await Promise.all(calls.splice(0));
      await store.close();
    }
    this.planes = [];
  }

  private async noteLife(): Promise<void> {
    const { store } = this.plane(0);
    this.log = (await store.position()).log;
    this.beganMs = this.lastMs = (await store.fleetTime.read()).ms;
  }
}

interface LeaseOnWire {
  readonly ask: number;
  readonly is?: number;
  readonly granted?: Readonly<Record<string, number>>;
  readonly ttl?: number;
  readonly refused?: { readonly limit: string; readonly retryAfter: number };
}

function answerIn({ ask, is, granted = {}, ttl: ttlMs = 0, refused }: LeaseOnWire): LeaseAnswer {
  const lacks = refused && { refused: { bucket: refused.limit, retryAfterMs: refused.retryAfter } };
  return { ask, granted, ttlMs, ...lacks, ...(is !== undefined && { is }) };
}

const onWire = <Said>(said: Said): Said => JSON.parse(JSON.stringify(said)) as Said;
