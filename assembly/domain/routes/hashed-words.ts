// Hashed arrays of numbers, as route-table.ts lays them out: made when a policy comes into force.
import { HOSTED_WORDS, startOf } from "./route-table";

/** A power of two, at most half of which is used. */
export function entriesFor(count: i32): u32 {
  let entries: u32 = 2;
  while (entries < <u32>count * 2) entries *= 2;
  return entries;
}

/** @param lists three numbers each: list, node and tail, host pattern */
export function hashedLists(lists: u32[]): StaticArray<u32> {
  const entries = entriesFor(lists.length / HOSTED_WORDS);
  const words = new StaticArray<u32>(entries * HOSTED_WORDS);
  for (let i: u32 = 0; i < <u32>lists.length; i += HOSTED_WORDS) {
    let at = startOf(lists[i + 1], lists[i + 2], entries);
    while (words[at * HOSTED_WORDS] != 0) at = (at + 1) & (entries - 1);
    at *= HOSTED_WORDS;
    words[at] = lists[i] + 1;
    words[at + 1] = lists[i + 1];
    words[at + 2] = lists[i + 2];
  }
  return words;
}
