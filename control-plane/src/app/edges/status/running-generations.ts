// Which generations of the policy edges run or are trying, as far as they have said.
import type { KnownInstance } from "./registry-entry.js";

/** Of the control plane's policies; 0, a policy of the edge's own, is none of them. */
export function runningGenerations(known: readonly KnownInstance[]): ReadonlySet<number> {
  const generations = new Set<number>();
  for (const { lastWatch, workers } of known) {
    if (lastWatch?.policy !== undefined) generations.add(lastWatch.policy.generation);
    for (const { runs } of workers.values()) if (runs !== undefined) generations.add(runs.generation);
  }
  generations.delete(0);
  return generations;
}
