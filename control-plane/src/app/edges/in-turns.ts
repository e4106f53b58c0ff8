// Work over many, some at a time: everything else has its turn in between.

/** Calls `each` for all, and lets others have their turn after each `size` of them. */
export async function inTurns<Item>(
  items: readonly Item[],
  size: number,
  nextTurn: () => Promise<unknown>,
  each: (item: Item) => void,
): Promise<void> {
  for (let start = 0; start < items.length; start += size) {
    if (start > 0) await nextTurn();
    for (const item of items.slice(start, start + size)) each(item);
  }
}
