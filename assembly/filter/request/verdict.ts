// What was decided on a request: decide.ts fills the record in, apply.ts carries it out.
import { BUCKETS_BYTES } from "../../domain/limits/buckets";

// Outcomes that let the request go.
/** Its bucket has paid. */
export const ALLOWED: u32 = 0;
/** Its route, its plan or the policy is off. */
export const NOT_ENFORCED: u32 = 1;
/** The bucket could not be reached, and the policy lets it pass. */
export const UNMETERED: u32 = 2;
/** Its route needs no session. */
export const EXEMPT: u32 = 3;
// The outcome of a request that waits.
/** For the control plane's answer, or for a policy: it is kept (waiters.ts), and decided on again. */
export const HELD: u32 = 4;
// Outcomes that are answered in place of the upstream.
/** The stream runs under a root that was never configured here: there is no policy to say how to answer. */
export const UNCONFIGURED: u32 = 5;
/** The first of the denials: from here on the policy may let the request pass all the same (enforced.ts). */
export const DENIED: u32 = 6;
/** The bucket holds less than the cost. */
export const LIMITED: u32 = 6;
/** The session has spent its budget. */
export const BUDGET_SPENT: u32 = 7;
export const MISSING_TOKEN: u32 = 8;
/** The token is none, or forged, or its session has ended. */
export const INVALID_TOKEN: u32 = 9;
/** The limiter cannot decide. */
export const CANNOT_DECIDE: u32 = 10;
/** This edge has no policy yet. */
export const NO_POLICY_IN_FORCE: u32 = 11;

// Why, where the session was not in the table and the outcome alone does not say it.
export const NO_REASON: u32 = 0;
/** The tag is not one that the secret's holder made. */
export const FORGED: u32 = 1;
/** The token is older than any session of its plan may be. */
export const TOO_OLD: u32 = 2;
/** The token was enough: the control plane did not confirm it yet. */
export const UNVERIFIED: u32 = 3;
/** Nobody confirmed the session: the control plane did not answer, or not of this session, or not to this edge. */
export const UNCONFIRMED: u32 = 4;
/** The control plane is there, but too many requests wait for its answers already, or this one has for too long. */
export const BUSY_ASKING: u32 = 5;

/** Of LIMITED: the control plane has refused it a moment before, and is not asked again yet. */
export const REFUSED_BEFORE: u32 = 6;
/** Of HELD: it waits for a lease. */
export const WITHOUT_LEASE: u32 = 7;

/** Stands as a plan's index where the session's plan is not known. */
const PLAN_UNKNOWN: u32 = 0xffffffff;

/** A view of static memory: there is one a VM, and it is the next request's after `apply`. */
@unmanaged
export class Verdict {
  outcome: u32;
  /** FORGED and so on, or NO_REASON. */
  why: u32;
  /** The session's, by its index, where its record was read. Of ALLOWED, LIMITED and BUDGET_SPENT it is known. */
  planIndex: u32;
  /**
   * The plan's limit that is the tightest for this request: the one that denied it, or that will deny the soonest. 0 is
   * the plan's own bucket.
   */
  limit: u32;
  /** What that holds after the decision. */
  levelPico: i64;
  /** Of LIMITED under a plan of scope fleet: ms until asking again is worth it. */
  retryMs: u32;
  /** Monotonic µs: read before the session's set was, or when an answer left no record to read. */
  readAtUs: u64;
  /** Writes that another worker was faster than. */
  casRetries: u32;
  /** As many in a row as may be. */
  casExhausted: bool;

  /** All buckets of a plan with further limits, after the decision; of another nothing (domain/limits/buckets.ts). */
  @inline
  get buckets(): usize {
    return changetype<usize>(this) + BUCKETS_AT;
  }
}

/** Behind the fields. */
const BUCKETS_AT: u32 = (<u32>offsetof<Verdict>() + 7) & ~7;
const record: usize = memory.data(BUCKETS_AT + BUCKETS_BYTES, 8);

/** An empty verdict. The one before is gone. */
export function newVerdict(): Verdict {
  const verdict = changetype<Verdict>(record);
  verdict.why = NO_REASON;
  verdict.planIndex = PLAN_UNKNOWN;
  verdict.limit = 0;
  verdict.casRetries = 0;
  verdict.casExhausted = false;
  return verdict;
}

/** Whether the token is genuine, and its session one that lives as far as is known. */
export function knowsSession(verdict: Verdict): bool {
  const outcome = verdict.outcome;
  return outcome == ALLOWED || outcome == UNMETERED || outcome == LIMITED || outcome == BUDGET_SPENT;
}

/** Whether the session's plan is known as well. */
export function knowsPlan(verdict: Verdict): bool {
  return knowsSession(verdict) && verdict.planIndex != PLAN_UNKNOWN;
}
