// Search in what is sorted.

/** How many of the ascending values are at most `most`: the index of the first that is more. */
export function countAtMost<Value extends number | string>(ascending: readonly Value[], most: Value): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = ascending[middle];
    if (value !== undefined && value <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}
