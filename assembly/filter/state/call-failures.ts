// What a VM has logged of the failed calls of one table, which go to one cluster (call-outcomes.ts).

// The kinds of call, and their outcomes.
export const CALL_KINDS: u32 = 4;
export const OUTCOMES: u32 = 9;

export class CallFailures {
  /** For each outcome that is a failure: when it was logged last, µs, how often it has happened since, and to which call. */
  loggedAtUs: StaticArray<u64> = new StaticArray<u64>(<i32>OUTCOMES);
  since: StaticArray<u64> = new StaticArray<u64>(<i32>OUTCOMES);
  lastCall: StaticArray<u32> = new StaticArray<u32>(<i32>OUTCOMES);
  /** For each kind of call: whether a failure of it was logged, and its end was not. */
  isFailing: StaticArray<bool> = new StaticArray<bool>(<i32>CALL_KINDS);
}
