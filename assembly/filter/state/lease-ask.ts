// One ask for a session's lease, from when it is wanted until its answer was taken.
import { TOKEN_BYTES } from "../../contract";
import { BUCKETS } from "./lease-notes";

/** An edge asks so long before it will need it: above a tick and the way of a call. */
export const LEASE_LEAD_MS: u32 = 250;

/** An ask may go so long before its time, where it saves a call. */
export const LEASE_EARLY_MS: u32 = 100;

// Why it asks.
/** A request waits, and nothing is left for it. */
export const ASK_NEED: u8 = 0;
/** What is left will not last. */
export const ASK_AHEAD: u8 = 1;
/** Nobody spends any more: what is left goes back. */
export const ASK_RETURN: u8 = 2;

/** A view of static memory. */
@unmanaged
export class LeaseAsk {
  /** The clock before the read that marked it. */
  askedAtUs: u64;
  /** The next one of its call, or NONE. */
  next: u32;
  inUse: bool;
  /** It is part of a call. */
  isOut: bool;
  why: u8;
  rootId: u32;
  planId: u32;
  tag: u32;
  /** Its number, once it is marked. */
  ask: u32;
  /** ASK_AHEAD: what is left is to last for so many requests, and for so long. */
  lead: u32;
  leadMs: u32;
  first: u32;
  last: u32;
  waiting: u32;

  /** ASK_RETURN: nobody has spent for so long. */
  @inline
  get idleMs(): u32 {
    return this.leadMs;
  }


  @inline
  set idleMs(ms: u32) {
    this.leadMs = ms;
  }

  /** ASK_RETURN: so much was used that the control plane waits to hear what of it is spent. */
  @inline
  get hasUsed(): bool {
    return this.lead != 0;
  }


  @inline
  set hasUsed(has: bool) {
    this.lead = <u32>has;
  }


  @inline
  get token(): usize {
    return changetype<usize>(this) + TOKEN_AT;
  }

  /** Address of u32 × BUCKETS: what a request takes, tokens. */
  @inline
  get costs(): usize {
    return changetype<usize>(this) + COSTS_AT;
  }

  /** Address of i64 × BUCKETS: what the table owed when it was marked, and said so; picotokens, at most 0. */
  @inline
  get debts(): usize {
    return changetype<usize>(this) + DEBTS_AT;
  }

  /** Address of the trace of the request that asked first (edge/trace.ts). */
  @inline
  get trace(): usize {
    return changetype<usize>(this) + TRACE_AT;
  }
}

const TOKEN_AT: u32 = offsetof<LeaseAsk>();
const COSTS_AT: u32 = (TOKEN_AT + TOKEN_BYTES + 7) & ~7;
const DEBTS_AT: u32 = COSTS_AT + BUCKETS * 4;
const TRACE_AT: u32 = DEBTS_AT + BUCKETS * 8;
/** With 56 for the trace. */
export const LEASE_ASK_BYTES: u32 = TRACE_AT + 56;
