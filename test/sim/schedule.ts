// The schedule of a run. A step is a host call of a worker, a read or a commit of the store, one way of a message, time
// that passes, or a fault. An atomic step also does all that follows from it. The seed draws the steps. At the end of a run
// the faults stop, and the invariants must hold.
import { Invariants } from "./invariants/invariants.js";
import { Delays } from "./faults/delays.js";
import { DelayedReport } from "./faults/delayed-report.js";
import { FaultInjector } from "./faults/fault-injector.js";
import { Network } from "./parts/network.js";
import { sessionsIn } from "./parts/said.js";
import type { SimEdge } from "./parts/sim-edge.js";
import type { Call } from "./parts/sim-worker.js";
import { settle } from "./parts/sim-time.js";
import { Sleep } from "./faults/sleep.js";
import type { World } from "./parts/world.js";

/** More often than Envoy's, so that a short run has many. */
const TICK_MS = 30;
/** Longer than the control plane waits for one that is silent. */
const AGE_MS = 310_000;

export class Schedule {
  readonly #network: Network;
  readonly #faultInjector: FaultInjector;
  readonly #sleep: Sleep;
  readonly #delays: Delays;
  readonly #delayedReport: DelayedReport;
  #restoreNext = false;

  constructor(private readonly world: World) {
    this.#network = new Network(world);
    this.#faultInjector = new FaultInjector(world, this.#network);
    this.#sleep = new Sleep(world, this.#faultInjector);
    this.#delays = new Delays(world);
    this.#delayedReport = new DelayedReport(world, this.#faultInjector);
  }

  /** Throws a Violation. */
  async step(): Promise<void> {
    this.#delays.step();
    this.#delayedReport.step();
    if (this.#restoreNext) {
      this.#restoreNext = false;
      this.#faultInjector.backUpOrRestore();
    } else if (this.world.random.chance(this.world.faultProfile.passing)) this.world.pass(this.#pause());
    else if (!this.#faultInjector.strike()) await this.#work();
    await settle();
  }

  /** Throws a Violation. */
  async end(): Promise<void> {
    await new Invariants(this.world, this.#network, this.#faultInjector.lost).close();
  }

  #pause(): number {
    const { random, faultProfile } = this.world;
    if (this.#sleep.slowsTime) return random.below(2);
    if (random.chance(faultProfile.longPause)) return 1000 + random.below(20_000);
    if (random.chance(faultProfile.striding)) return 500 + random.below(3500);
    if (random.chance(faultProfile.ages)) return AGE_MS;
    return random.pick([1, 1, 1, 2, 2, 5, 5, 10, 30, 60]) * faultProfile.stride;
  }

  async #work(): Promise<void> {
    const { random, store } = this.world;
    const { edge, worker } = this.#sleep.chooseWorker();
    const calls = edge.calls.filter((call) => this.#canMove(edge, call));
    const { ready } = store;
    if (ready > 0 && random.chance(0.6)) return store.take(random.below(ready));
    const isAtomic = this.#isAtomic();
    if (isAtomic && edge.isTickDue(worker)) {
      edge.tick(worker, TICK_MS);
      edge.finish(worker);
      return;
    }
    if (calls.length > 0 && random.chance(this.#sleep.isAny ? 0.7 : 0.4)) {
      await this.#move(edge, random.pick(calls));
      return;
    }
    if (edge.isBusy(worker)) edge.step(worker);
    else if (edge.isTickDue(worker) && random.chance(0.5)) edge.tick(worker, TICK_MS);
    else if (random.chance(0.02)) edge.abandon(worker);
    else this.#request(edge, worker);
    if (isAtomic) edge.finish(worker);
  }

  #canMove(edge: SimEdge, call: Call): boolean {
    if (this.#sleep.isOver(edge, call) || this.#delayedReport.holds(call)) return false;
    return this.#network.canMove(edge, call) && !this.#delays.holds(call);
  }

  #request(edge: SimEdge, worker: number): void {
    const { random, faultProfile } = this.world;
    const session = this.#sleep.wanted(edge);
    if (random.chance(faultProfile.pinned) && !this.world.isHome(session, edge, worker)) return;
    edge.request(worker, session, this.world.anyPath());
  }

  /** One way of a call; in an atomic step both, if nothing comes in between. */
  async #move(edge: SimEdge, call: Call): Promise<void> {
    const { random, store, faultProfile } = this.world;
    if (this.#sleep.beginsBefore(edge, call) || this.#delayedReport.begins(edge, call)) return;
    if (!this.#isAtomic()) {
      if (this.#network.move(edge, call) && random.chance(faultProfile.shortStallProbability)) this.#stall(edge, call);
      return;
    }
    if (!call.sent) this.#network.move(edge, call);
    while (store.ready > 0 && call.answer === undefined) {
      await store.take(random.below(store.ready));
      await settle();
    }
    if (!this.#canMove(edge, call) || this.#sleep.beginsBefore(edge, call)) return;
    this.#network.move(edge, call);
    edge.finish(call.worker);
  }

  #stall(edge: SimEdge, call: Call): void {
    const [session] = sessionsIn(call);
    if (this.#sleep.beginsIn(edge, call, session)) this.#restoreNext = true;
  }

  #isAtomic(): boolean {
    return this.world.random.chance(this.world.faultProfile.atomicSteps * (this.#sleep.slowsTime ? 0.2 : 1));
  }
}
