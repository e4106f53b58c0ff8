// One run of a schedule, whatever it is of: to a finding, which has the seed and the last events before it, or as a trace.
import { Violation } from "./invariants/violation.js";

export interface Finding {
  readonly seed: number;
  readonly step: number;
  readonly invariant: string;
  readonly message: string;
  readonly trace: readonly string[];
}

/** A world's events so far, and what happens in it. */
export interface Run {
  readonly trace: readonly string[];
  readonly schedule: { step(): Promise<void>; end(): Promise<void> };
}

/** Runs it to its end. Undefined: every invariant held. @param lines of the trace that a finding keeps */
export async function findingOf(
  { trace, schedule }: Run,
  seed: number,
  steps: number,
  lines: number,
): Promise<Finding | undefined> {
  let step = 0;
  try {
    for (; step < steps; step++) await schedule.step();
    await schedule.end();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const { invariant, message } = error;
    return { seed, step, invariant, message, trace: trace.slice(-lines) };
  }
  return undefined;
}

/** All that happens in its steps, in order. */
export async function traceOf({ trace, schedule }: Run, steps: number): Promise<readonly string[]> {
  for (let step = 0; step < steps; step++) await schedule.step();
  return trace;
}
