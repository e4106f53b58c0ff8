// Stalls: a worker sleeps in the middle of its work, while its edge does what conflicts with that work most.
import { LEADER_LEASE_MS } from "../../../assembly/contract.js";
import type { Session } from "../../host/harness/scenes/tokens.js";
import type { FaultInjector } from "./fault-injector.js";
import { REPORT_INTERVAL_MS } from "../parts/policies.js";
import { sessionsIn } from "../parts/said.js";
import type { SimEdge } from "../parts/sim-edge.js";
import type { Call } from "../parts/sim-worker.js";
import type { World } from "../parts/world.js";

/** Steps in which what was reported is acknowledged. */
const SOON = 60;

/** What is to happen to the session whose answer a worker sleeps over. */
type Plot = "revoked" | "evicted" | "nothing";

interface Sleeper {
  readonly edge: SimEdge;
  readonly worker: number;
  steps: number;
  readonly plot: Plot;
  /** The session whose answer it sleeps over, and how often it was requested meanwhile. */
  readonly wanted?: Session;
  asked: number;
  /** It has been revoked, or had a record again. */
  hasBegun: boolean;
}

export class Sleep {
  #asleep: Sleeper | undefined;

  constructor(
    private readonly world: World,
    private readonly faultInjector: FaultInjector,
  ) {}

  get isAny(): boolean {
    return this.#asleep !== undefined;
  }

  /** A revocation is to overtake an answer that is still valid: so little time passes, a host call at a time. */
  get slowsTime(): boolean {
    return this.#asleep?.plot === "revoked";
  }

  /** Now and then a worker sleeps in the middle of what it does, and its edge goes on without it. */
  chooseWorker(): { edge: SimEdge; worker: number } {
    const { random, edges } = this.world;
    const asleep = this.#asleep;
    const chosen = random.pick(edges);
    const edge = asleep !== undefined && random.chance(0.6) ? asleep.edge : chosen;
    const worker = random.pick(edge.workers);
    if (asleep === undefined) {
      if (random.chance(0.02) && edge.isBusy(worker)) this.#fallAsleep(edge, worker, 20 + random.below(150));
      return { edge, worker };
    }
    this.#pass(asleep);
    const sleeps = asleep.edge === edge && asleep.worker === worker;
    return { edge, worker: sleeps ? edge.workers.length - 1 - worker : worker };
  }

  /** An answer has come, and its worker sleeps. */
  isOver(edge: SimEdge, { worker, sent }: Call): boolean {
    return sent && this.#asleep?.edge === edge && this.#asleep.worker === worker;
  }

  /** Before the answer to an acquire: the edge's other worker goes on with the same session. */
  beginsBefore(edge: SimEdge, call: Call): boolean {
    const { random, faultProfile, sessions } = this.world;
    const [asked] = sessionsIn(call);
    if (asked === undefined || call.answer?.status !== 200 || this.#asleep !== undefined) return false;
    if (!random.chance(faultProfile.stallProbability)) return false;
    const plot = edge.life.records.has(asked) ? "evicted" : "revoked";
    const steps = plot === "revoked" ? 30 + random.below(120) : 300 + random.below(400);
    this.#fallAsleep(
      edge,
      call.worker,
      steps,
      plot,
      sessions.find(({ id }) => id === asked),
    );
    return true;
  }

  /** While a worker sleeps over an answer, the other one has a request of the same session first, later of others. */
  wanted(edge: SimEdge): Session {
    const { world } = this;
    const asleep = this.#asleep;
    if (asleep?.wanted === undefined || asleep.edge !== edge) return world.anySession();
    if (asleep.asked > 2 || world.random.chance(0.3)) return world.evenSession();
    asleep.asked += 1;
    return asleep.wanted;
  }

  /** The worker falls asleep somewhere in the middle of an answer. True: a backup is to be restored meanwhile. */
  beginsIn(edge: SimEdge, { worker }: Call, session: string | undefined): boolean {
    const { random, faultProfile } = this.world;
    for (let steps = random.below(15); steps > 0 && edge.isBusy(worker); steps--) edge.step(worker);
    if (!edge.isBusy(worker)) return false;
    this.#fallAsleep(edge, worker, 100 + random.below(random.pick([300, 900])));
    if (session !== undefined) {
      if (faultProfile.revoke > 0 && random.chance(0.7)) this.faultInjector.revoke(session);
      return false;
    }
    if (faultProfile.longPause === 0 || random.chance(0.5)) return false;
    this.world.pass(LEADER_LEASE_MS);
    return faultProfile.restore > 0 && random.chance(0.7);
  }

  #fallAsleep(edge: SimEdge, worker: number, steps: number, plot: Plot = "nothing", wanted?: Session): void {
    this.#asleep = { edge, worker, steps, plot, asked: 0, hasBegun: false, ...(wanted && { wanted }) };
  }

  /** The worker sleeps on, but hardly longer than until the conflict has happened. */
  #pass(asleep: Sleeper): void {
    asleep.steps -= 1;
    if (asleep.steps <= 0) this.#asleep = undefined;
    if (asleep.wanted === undefined || !this.world.random.chance(0.4)) return;
    if (asleep.plot === "revoked") this.#revoke(asleep, asleep.wanted);
    else this.#evict(asleep, asleep.wanted);
  }

  /** Revokes the session, if possible while the other worker is about to be answered about it. */
  #revoke(asleep: Sleeper, { id }: Session): void {
    if (asleep.edge.life.deniedAsRevoked.has(id)) asleep.steps = 0;
    if (asleep.hasBegun || !(this.#isAskedElsewhere(asleep) || this.world.random.chance(0.1))) return;
    asleep.hasBegun = true;
    this.faultInjector.revoke(id);
  }

  /** Once the record has gone, a slot for it becomes free a little later. */
  #evict(asleep: Sleeper, { id }: Session): void {
    const stands = asleep.edge.life.records.has(id);
    if (asleep.hasBegun && !stands && asleep.steps > SOON) {
      asleep.steps = SOON;
      this.world.pass(REPORT_INTERVAL_MS);
    }
    asleep.hasBegun = stands;
  }

  /** The control plane is about to answer another ask about the session. */
  #isAskedElsewhere({ edge, wanted }: Sleeper): boolean {
    return edge.calls.some(
      (call) => call.sent && call.answer === undefined && wanted !== undefined && sessionsIn(call).includes(wanted.id),
    );
  }
}
