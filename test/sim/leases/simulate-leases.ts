// Runs of the simulation of leases, one for each seed. A finding has the seed and the last events before it.
import { suspendableFilterModule } from "../../host/harness/builds/filter-modules.js";
import { Edge } from "../../host/harness/scenes/edge.js";
import { findingOf, traceOf, type Finding, type Run } from "../run-schedule.js";
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
  run(seed: number, steps: number): Promise<Finding | undefined> {
    return findingOf(this.#begun(seed), seed, steps, TRACE_LINES);
  }

  /** All that happens in a run of a seed, in order. */
  trace(seed: number, steps: number): Promise<readonly string[]> {
    return traceOf(this.#begun(seed), steps);
  }

  #begun(seed: number): Run {
    const world = this.world(seed);
    return { trace: world.trace, schedule: new LeaseSchedule(world) };
  }

  /** @param profile another one than the seed's */
  world(seed: number, profile?: LeaseProfile): LeaseWorld {
    return new LeaseWorld(seed, this.#module, this.#sessions, profile);
  }
}
