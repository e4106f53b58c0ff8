// Many things to do, a bounded number of them at a time.

const AT_A_TIME = 16;

/** Resolves with the results, in the order of the items; rejects as soon as one does. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  const one = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await act(item, index);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
  return results;
}
