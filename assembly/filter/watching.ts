// The state of a root's watch and of the reset that may follow from it.

export class Watching {
  out: bool = false;
  callId: u32 = 0;
  /** The log that the edge followed when the watch was sent; 0: none. */
  sentLog: u64 = 0;
  retryAtUs: u64 = 0;
  /** A reset is being carried out, slice by slice: from the log followed so far to another place. */
  resetting: bool = false;
  resetFrom: u64 = 0;
  resetLog: u64 = 0;
  resetCursor: u64 = 0;
  /** The next set to rewrite. */
  resetNext: u32 = 0;
}
