// Measures variants in turns, A B C … C B A, so that a machine that slows down or speeds up does it to all alike.
import type { Rounds } from "./differences.js";

export interface Turn {
  readonly name: string;
  /** Sends the load of one round, resolves when the last answer has come, and says how many there were. */
  readonly load: () => Promise<number>;
}

/**
 * Each turn's nanoseconds of CPU a request, in `rounds` rounds after one that warms up.
 * @param usedNs the CPU time that the measured process has used so far
 */
export async function inTurns(turns: readonly Turn[], rounds: number, usedNs: () => number): Promise<Rounds> {
  const measured: Record<string, number[]> = Object.fromEntries(turns.map(({ name }) => [name, []]));
  for (const { load } of turns) await load();
  for (let round = 0; round < rounds; round++) {
    for (const { name, load } of round % 2 === 0 ? turns : turns.toReversed()) {
      const beforeNs = usedNs();
      const requests = await load();
      measured[name]?.push((usedNs() - beforeNs) / requests);
    }
  }
  return measured;
}
