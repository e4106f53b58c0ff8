// What goes wrong in the simulation of leases, and what the operator does.
import { ANSWER_VALID_MS } from "../../../../assembly/contract.js";
import type { LeaseEdge } from "../parts/lease-edge.js";
import type { LeaseWorld, Machine } from "../parts/lease-world.js";

/** After a failover nothing is granted for 3 s. */
const THAW_US = 4_500_000;

export class LeaseFaults {
  #thawsAtUs = 0;
  /** Machines without a process, and when they start one. */
  readonly #restarts = new Map<Machine, number>();

  constructor(private readonly world: LeaseWorld) {}

  /** At most one fault, by the chances of the profile. */
  strike(): void {
    const { world } = this;
    const { random, profile, nowUs } = world;
    for (const [machine, atUs] of this.#restarts) if (nowUs >= atUs) this.#restart(machine);
    const roll = random.fraction();
    let from = 0;
    const strikes = (chance: number): boolean => {
      from += chance;
      return roll >= from - chance && roll < from;
    };
    if (strikes(profile.envoyCrash))
      this.#onEdge("dies", (edge) => {
        world.forgets(
          edge,
          world.sessions.map(({ id }) => id),
        );
        edge.restart();
        world.noteScopes();
      });
    else if (strikes(profile.reload))
      this.#onEdge("has a worker replaced", (edge) => {
        edge.reload(random.below(2));
        world.noteScopes();
      });
    else if (strikes(profile.evict))
      this.#onEdge("evicts", (edge) => {
        this.#evict(edge, random.pick(world.sessions).id);
      });
    else if (strikes(profile.planeCrash)) this.#kill(random.pick(world.machines));
    else if (strikes(profile.planeStall)) this.#stall(random.pick(world.machines));
    else if (strikes(profile.failover)) this.#failOver();
    else if (strikes(profile.clockSet)) this.#setClock(random.pick(world.machines));
    else if (strikes(profile.revoke)) this.#revoke(random.pick(world.machines));
    else if (strikes(profile.change)) this.#change();
  }

  /** All that is down comes up, and nothing stands still. */
  end(): void {
    const { world } = this;
    if (world.edgePolicy.scope === "edge") world.edgePolicy = world.profile.first;
    for (const machine of world.machines) {
      machine.stalledUntilUs = 0;
      if (machine.plane === undefined) this.#restart(machine);
      machine.policy = world.edgePolicy;
    }
  }

  #onEdge(what: string, act: (edge: LeaseEdge) => void): void {
    const edge = this.world.random.pick(this.world.edges);
    this.world.note(`${edge.name} ${what}`);
    act(edge);
  }

  /** As sessions do that need room: a record goes that nobody has used for so long. */
  #evict(of: LeaseEdge, id: string): void {
    const { edge } = of;
    const record = edge.table.record(id);
    const idleUs = edge.clock.monotonicNanos / 1000n - (record?.refilledAtUs ?? 0n);
    if (record === undefined || idleUs <= BigInt(ANSWER_VALID_MS) * 1000n) return;
    this.world.forgets(of, [id]);
    edge.table.evict(id);
  }

  #kill(machine: Machine): void {
    const { world } = this;
    if (machine.plane === undefined) return;
    world.note(`${machine.plane.name} dies`);
    world.killPlane(machine);
    this.#restarts.set(machine, world.nowUs + world.random.below(world.profile.restartMs * 1000));
  }

  #restart(machine: Machine): void {
    this.#restarts.delete(machine);
    if (machine.plane !== undefined) return;
    this.world.startPlane(machine);
    this.world.note(`${this.nameOf(machine)} starts`);
  }

  nameOf({ plane }: Machine): string {
    return plane?.name ?? "nobody";
  }

  #stall(machine: Machine): void {
    const { world } = this;
    world.note(`${this.nameOf(machine)} stands still`);
    machine.stalledUntilUs = world.nowUs + world.random.below(world.profile.stallMs * 1000);
  }

  #failOver(): void {
    const { world } = this;
    if (world.profile.failoverInUse && (world.nowUs < this.#thawsAtUs || world.tokensAtEdges() < 1)) return;
    this.#thawsAtUs = world.nowUs + THAW_US;
    const behindMs = world.random.below(world.profile.behindMs);
    world.failOver(behindMs);
    world.note(`the store fails over, ${behindMs} ms behind, to log ${world.store.log}`);
  }

  #setClock(machine: Machine): void {
    machine.skewMs = this.world.random.below(10_000) - 5000;
    this.world.note(`${this.nameOf(machine)}'s wall clock is set ${machine.skewMs} ms off`);
  }

  #revoke(machine: Machine): void {
    const { id } = this.world.random.pick(this.world.sessions);
    this.world.note(`${this.nameOf(machine)} is to revoke ${id}`);
    void machine.plane?.revoke(id);
  }

  /** Another policy, at some of those who go by it: control planes and workers hear of it one after the other. */
  #change(): void {
    const { world } = this;
    const { random, profile } = world;
    const next = random.pick([profile.first, ...profile.others]);
    world.note(`the plan becomes ${JSON.stringify(next)}`);
    if (next.scope === "edge" && !world.isMixed) {
      world.ledger.expectWithin();
      world.isMixed = true;
      world.wasMixed = true;
    }
    world.edgePolicy = next;
    const hears = random.chance(0.3) ? 1 : 0.7;
    for (const machine of world.machines) if (random.chance(hears)) machine.policy = next;
    for (const edge of world.edges)
      for (const index of [0, 1]) if (random.chance(hears) && !edge.isBusy(index)) edge.configure(index);
    world.noteScopes();
  }
}
