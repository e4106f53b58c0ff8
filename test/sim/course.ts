// The course of a run: a step is a host call of a worker, a read or commit of the store, one way of a message, time that
// passes, or a misfortune; the seed draws which. At its end faults stop, and the books must agree.
import { LEADER_LEASE_MS } from "../../assembly/contract.js";
import { Books } from "./books.js";
import { Misfortunes } from "./misfortunes.js";
import { Network, sessionIn } from "./network.js";
import type { Session } from "../host/tokens.js";
import type { Call, SimEdge } from "./sim-edge.js";
import { settle } from "./sim-time.js";
import type { World } from "./world.js";

/** More often than Envoy's, so that a short run has many. */
const TICK_MS = 30;

interface Sleeper {
  readonly edge: SimEdge;
  readonly worker: number;
  steps: number;
  /** The session whose answer it sleeps over, and how often it was requested meanwhile. */
  readonly wanted?: string;
  asked: number;
}

export class Course {
  readonly #network: Network;
  readonly #misfortunes: Misfortunes;
  #restoreNext = false;
  #asleep: Sleeper | undefined;

  constructor(private readonly world: World) {
    this.#network = new Network(world);
    this.#misfortunes = new Misfortunes(world, this.#network);
  }

  /** Throws a Violation. */
  async step(): Promise<void> {
    if (this.#restoreNext) {
      this.#restoreNext = false;
      await this.#misfortunes.backUpOrRestore();
    } else if (this.world.random.chance(this.world.weather.passing)) this.world.pass(this.#pause());
    else if (!(await this.#misfortunes.strike())) await this.#work();
    await settle();
  }

  /** Throws a Violation. */
  async end(): Promise<void> {
    await new Books(this.world, this.#network, this.#misfortunes.lost).close();
  }

  #pause(): number {
    const { random, weather } = this.world;
    if (random.chance(weather.longPause)) return 1000 + random.below(20_000);
    if (random.chance(weather.striding)) return 500 + random.below(3500);
    return random.pick([1, 1, 1, 2, 2, 5, 5, 10, 30, 60]) * weather.stride;
  }

  async #work(): Promise<void> {
    const { random, store } = this.world;
    const { edge, worker } = this.#chooseWorker();
    const calls = edge.calls.filter((call) => !this.#sleepsOver(edge, call) && this.#network.canMove(edge, call));
    const { ready } = store;
    if (ready > 0 && random.chance(0.6)) return store.take(random.below(ready));
    if (calls.length > 0 && random.chance(this.#asleep === undefined ? 0.4 : 0.7)) {
      const call = random.pick(calls);
      if (this.#fallsAsleepBefore(edge, call)) return;
      if (this.#network.move(edge, call) && random.chance(0.15)) this.#dozeOff(edge, call);
    } else if (edge.isBusy(worker)) edge.step(worker);
    else if (edge.isTickDue(worker) && random.chance(0.5)) edge.tick(worker, TICK_MS);
    else if (random.chance(0.02)) edge.abandon(worker);
    else edge.request(worker, this.#wanted(edge));
  }

  /** Now and then a worker sleeps in the middle of what it does, and its edge goes on without it. */
  #chooseWorker(): { edge: SimEdge; worker: number } {
    const { random, edges } = this.world;
    const asleep = this.#asleep;
    const chosen = random.pick(edges);
    const edge = asleep !== undefined && random.chance(0.6) ? asleep.edge : chosen;
    const worker = random.pick(edge.workers);
    if (asleep === undefined) {
      if (random.chance(0.02) && edge.isBusy(worker))
        this.#asleep = { edge, worker, steps: 20 + random.below(150), asked: 0 };
      return { edge, worker };
    }
    asleep.steps -= 1;
    if (asleep.steps <= 0) this.#asleep = undefined;
    const sleeps = asleep.edge === edge && asleep.worker === worker;
    return { edge, worker: sleeps ? edge.workers.length - 1 - worker : worker };
  }

  /** An answer has come, and its worker sleeps. */
  #sleepsOver(edge: SimEdge, { worker, sent }: Call): boolean {
    return sent && this.#asleep?.edge === edge && this.#asleep.worker === worker;
  }

  /** Before the answer to an ask, in a crowd: the edge's other worker goes on with the same session. */
  #fallsAsleepBefore(edge: SimEdge, call: Call): boolean {
    const { random, weather } = this.world;
    const [session] = sessionIn(call);
    if (session === undefined || call.answer === undefined || this.#asleep !== undefined) return false;
    if (call.answer.status !== 200 || !random.chance(weather.drowsy)) return false;
    this.#asleep = {
      edge,
      worker: call.worker,
      steps: 60 + random.below(random.pick([200, 500])),
      wanted: session,
      asked: 0,
    };
    if (weather.revoke > 0 && random.chance(0.4)) this.#misfortunes.revoke(session);
    return true;
  }

  /** While a worker sleeps over an answer, the other one has a request of the same session first, later of others. */
  #wanted(edge: SimEdge): Session {
    const { world } = this;
    const asleep = this.#asleep;
    const same = asleep?.edge === edge ? world.sessions.find(({ id }) => id === asleep.wanted) : undefined;
    if (asleep === undefined || same === undefined || asleep.asked > 2 || world.random.chance(0.3))
      return world.anySession();
    asleep.asked += 1;
    return same;
  }

  /** The worker falls asleep somewhere in the middle of an answer, and what would hurt most happens meanwhile. */
  #dozeOff(edge: SimEdge, call: Call): void {
    const { random, weather } = this.world;
    const { worker } = call;
    for (let steps = random.below(15); steps > 0 && edge.isBusy(worker); steps--) edge.step(worker);
    if (!edge.isBusy(worker)) return;
    this.#asleep = { edge, worker, steps: 100 + random.below(random.pick([300, 900])), asked: 0 };
    const [session] = sessionIn(call);
    if (session !== undefined) {
      if (weather.revoke > 0 && random.chance(0.7)) this.#misfortunes.revoke(session);
      return;
    }
    if (weather.longPause > 0 && random.chance(0.3)) this.world.pass(LEADER_LEASE_MS);
    if (weather.restore > 0 && random.chance(0.3)) this.#restoreNext = true;
  }
}
