// The invariants at the end of a run: faults stop, all spends are reported, all revocations are marked. Then the edges and
// the control plane must agree on what was spent.
import type { LostFigures } from "../faults/lost-figures.js";
import type { Network } from "../parts/network.js";
import { expectLevels } from "./limit-agreement.js";
import { PolicyInvariants } from "./policy-invariants.js";
import type { SimEdge } from "../parts/sim-edge.js";
import { settle } from "../parts/sim-time.js";
import { fail, Violation } from "./violation.js";
import type { World } from "../parts/world.js";

/** Enough for a lease that must run out, a watch that is held to its end, a few rounds of the sweep, reports. */
const TICK_MS = 80;
const TICKS = 400;
/** How many ticks lie between two checks of the invariants. */
const LOOK_EVERY = 30;
/** A message may cause others; more than this number is a storm. */
const MAX_TURNS = 50;

export class Invariants {
  readonly #policy: PolicyInvariants;

  constructor(
    private readonly world: World,
    private readonly network: Network,
    private readonly lost: LostFigures,
  ) {
    this.#policy = new PolicyInvariants(world);
  }

  /** Throws a Violation if they do not agree in the end. */
  async close(): Promise<void> {
    this.#calmDown();
    for (let tick = 1; tick < TICKS; tick++) {
      this.world.pass(TICK_MS);
      for (const edge of this.world.edges) for (const worker of edge.workers) edge.tick(worker, TICK_MS);
      await this.#deliverAll();
      if (tick % LOOK_EVERY === 0 && this.#whatDisagrees() === undefined) return;
    }
    const violation = this.#whatDisagrees();
    if (violation !== undefined) throw violation;
  }

  #calmDown(): void {
    const { world } = this;
    for (const edge of world.edges) {
      for (const worker of edge.workers) edge.finish(worker);
      edge.stopInterleaving();
    }
    world.isCalm = true;
    world.awayUntilMs = 0;
    world.endHandOver();
    this.network.breakOff(1);
  }

  /** Everything that is under way arrives. */
  async #deliverAll(): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      const committed = await this.#commitAll();
      let moved = false;
      for (const edge of this.world.edges) {
        for (const call of [...edge.calls]) {
          if (!this.network.canMove(edge, call)) continue;
          this.network.move(edge, call);
          for (const worker of edge.workers) edge.finish(worker);
          moved = true;
        }
      }
      await settle();
      if (!committed && !moved) return;
    }
  }

  async #commitAll(): Promise<boolean> {
    const { store } = this.world;
    const any = store.ready > 0;
    while (store.ready > 0) {
      await store.take(0);
      await settle();
    }
    return any;
  }

  #whatDisagrees(): Violation | undefined {
    try {
      for (const edge of this.world.edges) this.#expectAgreement(edge);
    } catch (error) {
      if (error instanceof Violation) return error;
      throw error;
    }
    return undefined;
  }

  #expectAgreement(edge: SimEdge): void {
    const { store, sessions } = this.world;
    const { life } = edge;
    const logCursor = life.logCursor();
    if (logCursor !== undefined && (logCursor.log !== store.log || logCursor.cursor !== store.head())) {
      fail("quiet", `${life.edge} is at ${logCursor.log} ${logCursor.cursor} of ${store.log} ${store.head()}`);
    }
    this.#policy.expectAgreement(edge);
    for (const { id } of sessions) if (store.stored(id) !== undefined) this.#expectAgreementOn(id, edge);
  }

  #expectAgreementOn(id: string, { life }: SimEdge): void {
    const { store, ledger } = this.world;
    const record = life.records.get(id);
    const stands = record?.live === true && !record.refresh && !record.unconfirmed;
    const isRevoked = store.stored(id)?.revokedAt !== null;
    if (stands && isRevoked) fail("11", `${life.edge} ${id}: its revocation never arrived`);
    if (record?.provisional === true) fail("quiet", `${life.edge} ${id}: still provisional`);
    const instance = life.instance() ?? "";
    const { consumed } = store.durable(id, instance);
    const spent = ledger.spentIn(life, id);
    const least = spent - this.lost.of(life, id);
    if (consumed > spent || consumed < least)
      fail("consumed", `${life.edge} ${id}: ${spent} spent, ${consumed} reported`);
    expectLevels(this.world, life, id);
  }
}
