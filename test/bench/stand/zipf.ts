// Popularity as it is on the web: the k-th most popular of n comes with a probability in proportion to 1 / k^s.
import type { Random } from "../../host/harness/host/random.js";

const STEPS = 4_294_967_296;

/** Picks ranks 0 to n - 1 by the inverse of the cumulated weights. */
export function zipf(n: number, exponent: number, random: Random): () => number {
  const cumulated = new Float64Array(n);
  let sum = 0;
  for (let rank = 0; rank < n; rank++) cumulated[rank] = sum += (rank + 1) ** -exponent;
  return () => {
    const target = (random.below(STEPS) / STEPS) * sum;
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulated[middle] ?? 0) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
