// The schedule of a run of leases: a host call of a worker, a step of the store, one way of a message, time that passes, or a
// fault. An atomic step also does all of a worker's work at once. The seed draws the steps.
import { PATH_WATCH } from "../../../assembly/contract.js";
import { settle } from "../parts/sim-time.js";
import { LeaseFaults } from "./faults/lease-faults.js";
import type { Call, LeaseEdge } from "./parts/lease-edge.js";
import type { Path } from "./parts/lease-policies.js";
import type { LeaseWorld, Machine } from "./parts/lease-world.js";
import { LeaseEnd } from "./invariants/lease-end.js";

const LATE = { status: 504, body: "upstream request timeout" };
const REFUSED = { status: 503, body: "no healthy upstream" };
/** Envoy times calls out a little late. */
const PATIENCE_US = 2000;
/** Of so many runs one is looked at when its faults have ended, which takes longer than all of them. */
const LOOK_AT_THE_END = 3;
const BURST = 8;
const SETTLED: readonly Path[] = ["/chat", "/ask"];
/** Less than was reserved, as much, and more. */
const COSTS = ["0", "0.5", "1", "2", "2.5", "4", "5", "6", "9", "15"] as const;

export class LeaseSchedule {
  readonly faults: LeaseFaults;
  /** A worker that stands still in the middle of what it does, and until when. */
  #asleep: { readonly edge: LeaseEdge; readonly worker: number; readonly untilUs: number } | undefined;

  /** Copies of calls that come later, and when. */
  #copies: { readonly edge: LeaseEdge; readonly call: Call; readonly atUs: number }[] = [];

  constructor(private readonly world: LeaseWorld) {
    this.faults = new LeaseFaults(world);
  }

  /** Throws a Violation. */
  async step(): Promise<void> {
    await this.#act();
    this.world.expectRaised();
  }

  async #act(): Promise<void> {
    const { world } = this;
    const { random, profile } = world;
    world.pass(this.#passing());
    this.faults.strike();
    this.#sendCopies();
    if (this.#asleep !== undefined && world.nowUs >= this.#asleep.untilUs) this.#asleep = undefined;
    if (await this.#stepOfStore(0.6)) return;
    const edge = this.#anyEdge();
    const worker = random.below(2);
    if (this.#sleeps(edge, worker)) return;
    if (profile.settles > 0 && random.chance(profile.settles) && this.#settleOne(edge)) return;
    if (edge.isBusy(worker)) {
      edge.step(worker);
      if (edge.isBusy(worker) && random.chance(profile.workerStall))
        this.#asleep = { edge, worker, untilUs: world.nowUs + random.below(random.pick([100_000, 4_000_000])) };
    } else if (edge.isTickDue(worker) && random.chance(0.3)) edge.tick(worker);
    else if (random.chance(0.6)) await this.#moveAny(edge, worker);
    else this.#requests(edge, worker);
    if (random.chance(profile.atomic) && !this.#sleeps(edge, worker)) edge.finish(worker);
  }

  /** Some runs end here; in the others faults stop, and what is there again is looked at. Throws a Violation. */
  async end(): Promise<void> {
    if (!this.world.isMixed || this.world.isFleetAgain) this.world.ledger.expectWithin();
    this.#asleep = undefined;
    if (this.world.seed % LOOK_AT_THE_END === 0) await new LeaseEnd(this.world, this).close();
  }

  /** One way of a call; or both, and all that the store has to do in between. Where there is none, a request. */
  async #moveAny(edge: LeaseEdge, worker: number): Promise<void> {
    const { random, profile, edges } = this.world;
    const from = random.chance(0.5) ? edge : random.pick(edges);
    if (!this.move(from)) {
      this.#requests(edge, worker);
      return;
    }
    await settle();
    if (!random.chance(profile.atomic)) return;
    while (await this.#stepOfStore(1));
    if (this.move(from)) await settle();
  }

  /** One way of a call of an edge. False: none can move. */
  move(edge: LeaseEdge): boolean {
    const { world } = this;
    const movable = edge.calls.filter((call) => this.#canMove(edge, call));
    if (movable.length === 0) return false;
    const call = world.random.pick(movable);
    if (call.isSent) this.#bringBack(edge, call);
    else this.#send(edge, call);
    return true;
  }

  /** One step of the store that any control plane waits for. */
  async #stepOfStore(chance: number): Promise<boolean> {
    const { random, profile, machines, isCalm } = this.world;
    const waiting = machines.filter((machine) => this.world.isUp(machine) && (machine.plane?.link.ready ?? 0) > 0);
    if (waiting.length === 0 || !random.chance(chance)) return false;
    const link = random.pick(waiting).plane?.link;
    link?.take(random.below(link.ready), !isCalm && random.chance(profile.storeLost));
    await settle();
    this.world.expectBudgets();
    return true;
  }

  /** All steps that the control planes wait for happen. */
  async commitAll(): Promise<void> {
    while (await this.#stepOfStore(1));
  }

  #passing(): number {
    const { random, profile } = this.world;
    if (random.chance(profile.rest)) return 12_000_000;
    if (random.chance(profile.longPause)) return random.below(4_000_000);
    if (random.chance(profile.pause)) return random.below(profile.pauseMs * 1000);
    return random.below(300);
  }

  /** One, or several of a session at once. */
  #requests(edge: LeaseEdge, worker: number): void {
    const { random, profile, sessions } = this.world;
    if (!random.chance(profile.demand)) return;
    const session = random.pick(sessions);
    const more = random.chance(profile.atomic) ? random.below(BURST) : 0;
    for (let count = 0; count < more; count++) {
      edge.request(worker, session, this.#anyPath());
      edge.finish(worker);
    }
    edge.request(worker, session, this.#anyPath());
  }

  #sleeps(edge: LeaseEdge, worker: number): boolean {
    return this.#asleep?.edge === edge && this.#asleep.worker === worker;
  }

  #anyEdge(): LeaseEdge {
    const { random, profile, edges } = this.world;
    const weights = profile.load.map((load) => load + 0.1);
    let roll = random.fraction() * weights.reduce((sum, weight) => sum + weight, 0);
    const at = weights.findIndex((weight) => (roll -= weight) < 0);
    return edges[at] ?? random.pick(edges);
  }

  /** The response of a request comes, of a new one or of an old one. False: none is open. */
  #settleOne(edge: LeaseEdge): boolean {
    const { random } = this.world;
    const open = edge.unsettled.filter(({ worker }) => !this.#sleeps(edge, worker));
    const one = random.chance(0.5) ? open.at(-1) : open[0];
    if (one === undefined) return false;
    const said = random.chance(0.1) ? undefined : random.pick(COSTS);
    this.world.note(`${edge.name}/${one.worker} ${one.path} of ${one.session.id} cost ${said ?? "nobody knows what"}`);
    edge.settle(one, said);
    return true;
  }

  /** All responses come. */
  settleAll(): void {
    for (const edge of this.world.edges) while (this.#settleOne(edge)) for (const worker of [0, 1]) edge.finish(worker);
  }

  #anyPath(): Path {
    const { random, profile } = this.world;
    if (profile.settles > 0 && random.chance(0.5)) return profile.searches > 0 ? random.pick(SETTLED) : "/chat";
    if (random.chance(profile.dear)) return "/dear";
    return random.chance(profile.searches) ? "/search" : "/";
  }

  #canMove(edge: LeaseEdge, call: Call): boolean {
    const { nowUs } = this.world;
    if (!call.isSent) return nowUs >= call.heldUntilUs;
    const isBack = call.answer !== undefined && nowUs >= call.heldUntilUs;
    return (isBack || this.#isLate(call)) && !edge.isBusy(call.worker) && !this.#sleeps(edge, call.worker);
  }

  #isLate({ deadlineUs }: Call): boolean {
    return this.world.nowUs >= deadlineUs + PATIENCE_US;
  }

  #send(edge: LeaseEdge, call: Call): void {
    const { world } = this;
    const { random, profile } = world;
    call.isSent = true;
    world.asked(edge, call);
    if (!world.isCalm && random.chance(profile.doubled))
      this.#copies.push({ edge, call, atUs: world.nowUs + this.#delayUs() });
    if (!this.#isLost()) this.#ask(edge, call, random.pick(world.machines));
  }

  #sendCopies(): void {
    const { nowUs, random, machines } = this.world;
    const due = this.#copies.filter(({ atUs }) => atUs <= nowUs);
    if (due.length === 0) return;
    this.#copies = this.#copies.filter(({ atUs }) => atUs > nowUs);
    for (const { edge, call } of due) this.#ask(edge, call, random.pick(machines));
  }

  #ask(edge: LeaseEdge, call: Call, machine: Machine): void {
    const { world } = this;
    const { plane } = machine;
    if (plane === undefined) {
      call.answer ??= REFUSED;
      return;
    }
    // What a process that stands still was sent it takes when it goes on: here it breaks off.
    if (!world.isUp(machine)) return;
    if (call.path !== PATH_WATCH)
      world.note(`${edge.name} asks ${plane.name} ${call.path} ${JSON.stringify(call.json)}`);
    void plane.handle(call.path, call.json).then((answer) => {
      if (plane.isGone || this.#isLost()) return;
      if (answer === undefined) call.isSent = false;
      else call.answer ??= answer;
      call.heldUntilUs = world.nowUs + (answer === undefined ? 20_000 : this.#delayUs());
    });
  }

  #bringBack(edge: LeaseEdge, call: Call): void {
    const { answer } = call;
    const { world } = this;
    const isThere = answer !== undefined && world.nowUs >= call.heldUntilUs;
    const arrives = isThere && (!this.#isLate(call) || world.random.chance(0.5)) ? answer : LATE;
    if (call.path !== PATH_WATCH || arrives.status !== 200)
      world.note(`${edge.name}/${call.worker} ${call.path} ${arrives.status} ${arrives.body}`);
    edge.deliver(call, arrives);
  }

  #delayUs(): number {
    const { random, profile, isCalm } = this.world;
    return !isCalm && random.chance(profile.held) ? random.below(profile.heldMs * 1000) : 0;
  }

  #isLost(): boolean {
    return !this.world.isCalm && this.world.random.chance(this.world.profile.lost);
  }
}
