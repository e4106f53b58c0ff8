// Runs the work of several VMs a host call at a time, in an order drawn from a seed: every interleaving can come.
// It needs suspendable modules (suspendable.ts); with others each piece of work runs as a whole.
import type { Steps } from "./guest.js";
import type { Random } from "./random.js";

/** What one VM does, one after the other: a VM runs one callback at a time, as a worker thread does. */
export type Lane = (() => Steps<unknown>)[];

/** Runs all lanes to their end. Returns which lane took each step: the same seed gives the same schedule. */
export function interleave(lanes: readonly Lane[], random: Random, betweenSteps?: () => void): number[] {
  const waiting = lanes.map((lane) => [...lane]);
  const running: (Steps<unknown> | undefined)[] = lanes.map(() => undefined);
  const schedule: number[] = [];
  for (;;) {
    const ready = waiting.flatMap((lane, index) => (lane.length > 0 || running[index] !== undefined ? [index] : []));
    if (ready.length === 0) return schedule;
    const chosen = random.pick(ready);
    schedule.push(chosen);
    const steps = running[chosen] ?? waiting[chosen]?.shift()?.();
    running[chosen] = steps?.next().done === false ? steps : undefined;
    betweenSteps?.();
  }
}
