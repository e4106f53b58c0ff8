// Runs of the simulation, one for each seed. A finding has the seed and the last events before it.
import { sessionsOfOneSet } from "../host/harness/scenes/same-set-sessions.js";
import { Edge } from "../host/harness/scenes/edge.js";
import { Schedule } from "./schedule.js";
import { simulatedFilter, type Builds } from "./parts/sim-filter.js";
import { findingOf, traceOf, type Finding, type Run } from "./run-schedule.js";
import { World, type SessionPool } from "./parts/world.js";

/** Sessions of one set of the table: twice as many as it has slots, and more that log in later. */
const OF_ONE_SET = 45;
/** Sessions in sets of their own: no other session's writes disturb the races there. */
const OTHERS = 45;
const TRACE_LINES = 40;

export class Simulation {
  readonly #sessions: SessionPool = sessionsOfASim();

  private constructor(private readonly builds: Builds) {}

  static async prepared(): Promise<Simulation> {
    return new Simulation(await simulatedFilter());
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
    const world = this.#world(seed);
    return { trace: world.trace, schedule: new Schedule(world) };
  }

  #world(seed: number): World {
    return new World(seed, this.#sessions, this.builds);
  }
}

function sessionsOfASim(): SessionPool {
  const edge = new Edge();
  const ofOneSet = sessionsOfOneSet(edge, OF_ONE_SET);
  return { ofOneSet, others: Array.from({ length: OTHERS }, () => edge.newSession()) };
}

export function describeFinding({ seed, step, message, trace }: Finding): string {
  return `seed ${seed}, step ${step}: ${message}\n${trace.map((line) => `  ${line}`).join("\n")}`;
}
