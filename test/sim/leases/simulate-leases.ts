// Runs of the simulation of leases, one for each seed. A finding has the seed and the last events before it.
import { suspendableFilterModule } from "../../host/harness/builds/filter-modules.js";
import { Edge } from "../../host/harness/scenes/edge.js";
import { Violation } from "../invariants/violation.js";
import type { Finding } from "../simulate.js";
import type { LeaseProfile } from "./faults/lease-profile.js";
import { LeaseSchedule } from "./lease-schedule.js";
import { LeaseWorld } from "./parts/lease-world.js";
import type { Session } from "../../host/harness/scenes/tokens.js";

const SESSIONS = 2;
const TRACE_LINES = 60;

export class LeaseSimulation {
  readonly #module: WebAssembly.Module;
  readonly #sessions: readonly Session[];

  /** @param module a filter that settles and is able to stop at its host calls; by itself the built one */
  constructor(module = suspendableFilterModule("settle")) {
    this.#module = module;
    const edge = new Edge({ module });
    this.#sessions = Array.from({ length: SESSIONS }, () => edge.newSession());
  }

  /** Runs one seed. Undefined: every invariant held. */
  async run(seed: number, steps: number): Promise<Finding | undefined> {
    const world = this.world(seed);
    const schedule = new LeaseSchedule(world);
    let step = 0;
    try {
      for (; step < steps; step++) await schedule.step();
      await schedule.end();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const { invariant, message } = error;
      return { seed, step, invariant, message, trace: world.trace.slice(-TRACE_LINES) };
    }
    return undefined;
  }

  /** All that happens in a run of a seed, in order. */
  async trace(seed: number, steps: number): Promise<readonly string[]> {
    const world = this.world(seed);
    const schedule = new LeaseSchedule(world);
    for (let step = 0; step < steps; step++) await schedule.step();
    return world.trace;
  }

  /** @param profile another one than the seed's */
  world(seed: number, profile?: LeaseProfile): LeaseWorld {
    return new LeaseWorld(seed, this.#module, this.#sessions, profile);
  }
}
