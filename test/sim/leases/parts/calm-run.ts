// A run without faults: workers do all that they have to do at once, and each call is answered before the next step.
import { settle } from "../../parts/sim-time.js";
import type { LeaseSchedule } from "../lease-schedule.js";
import type { LeaseWorld } from "./lease-world.js";

const MAX_TURNS = 30;

export class CalmRun {
  #step = 0;

  constructor(
    private readonly world: LeaseWorld,
    private readonly schedule: LeaseSchedule,
  ) {}

  /** All workers go by the world's policy from now on. */
  begin(): void {
    this.world.isCalm = true;
    for (const edge of this.world.edges) {
      for (const worker of [0, 1]) edge.configure(worker);
      edge.stopInterleaving();
      for (const call of edge.calls) call.heldUntilUs = 0;
    }
  }

  /** @param use what is requested of an edge in each step */
  async run(us: number, stepUs: number, use: (edge: number, step: number) => void): Promise<void> {
    const { world } = this;
    const untilUs = world.nowUs + us;
    while (world.nowUs < untilUs) {
      world.pass(stepUs);
      this.#step += 1;
      for (const [at, edge] of world.edges.entries()) {
        for (const worker of [0, 1]) {
          if (edge.isTickDue(worker)) edge.tick(worker);
          edge.finish(worker);
        }
        use(at, this.#step);
        for (const worker of [0, 1]) edge.finish(worker);
      }
      await this.#deliverAll();
      world.expectRaised();
    }
  }

  async #deliverAll(): Promise<void> {
    await settle();
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      await this.schedule.commitAll();
      let moved = false;
      for (const edge of this.world.edges) {
        moved = this.schedule.move(edge) || moved;
        for (const worker of [0, 1]) edge.finish(worker);
      }
      if (!moved) return;
      await settle();
    }
  }
}
