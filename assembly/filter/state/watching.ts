// The state of a table's watch and of the reset that may follow from it.

export class Watching {
  /** The root context whose call is out; 0: none is. */
  rootId: u32 = 0;
  callId: u32 = 0;
  /** The log that the edge followed when the watch was sent; 0: none. */
  sentLog: u64 = 0;
  /** The log whose answers counted then: another one while a reset is due or under way. */
  sentSeenLog: u64 = 0;
  /** The cursor then, and when it was, monotonic µs. */
  sentCursor: u64 = 0;
  sentAtUs: u64 = 0;
  /** What the watch said of the policy: its hash, and its state here (bell.ts). */
  sentHash: u64 = 0;
  sentGeneration: u64 = 0;
  sentResult: u32 = 0;
  /** Whether it said that the control plane is followed. */
  sentFollow: bool = false;
  retryAtUs: u64 = 0;
  /** A reset is being carried out, slice by slice: from the log followed so far to another log or cursor. */
  resetting: bool = false;
  resetFrom: u64 = 0;
  resetLog: u64 = 0;
  resetCursor: u64 = 0;
  /** The next set to rewrite. */
  resetNext: u32 = 0;
}
