// Counts of this VM that belong to no plan, kept in the guest, so that a request pays no host call for them, and added
// to Envoy's metrics on ticks. They belong to the VM, not to a policy: a change of policy loses none.
import { addTo, counterNamed, gaugeNamed } from "./metrics";

export const MISSING: u32 = 0;
export const INVALID: u32 = 1;
export const UNAVAILABLE: u32 = 2;
export const ALLOWED_UNMETERED: u32 = 3;
/** Denied because this edge has no policy yet. */
export const NO_POLICY_YET: u32 = 4;
export const MISS_LIVE: u32 = 5;
export const MISS_REVOKED: u32 = 6;
export const MISS_EXPIRED: u32 = 7;
export const MISS_UNKNOWN: u32 = 8;
export const MISS_UNVERIFIED: u32 = 9;
export const MISS_DENIED: u32 = 10;
export const MISS_FORGED: u32 = 11;
export const MISS_TOO_OLD: u32 = 12;
export const MISS_BUSY: u32 = 13;
export const CAS_RETRIES: u32 = 14;
export const CAS_EXHAUSTED: u32 = 15;
export const TABLE_FULL: u32 = 16;
export const EVICTIONS: u32 = 17;
export const RESTORES: u32 = 18;
export const HEADERS_OMITTED: u32 = 19;
/** A gauge: slots of the table that hold a record. Moved by what this VM adds, set by the leader's sweep. */
export const TABLE_RECORDS: u32 = 20;
export const REPORT_FAILURES: u32 = 21;
/** Open streams that were ended with their session. */
export const STREAMS_CLOSED: u32 = 22;
/** Requests let through whose stream could not be kept with its session: it may outlive it. */
export const STREAMS_UNTRACKED: u32 = 23;
export const EXEMPTED: u32 = 24;
/** What would have been denied, and was let through. */
export const SHADOW_MISSING: u32 = 25;
export const SHADOW_INVALID: u32 = 26;
export const SHADOW_UNAVAILABLE: u32 = 27;
/** The first of the calls' outcomes: one for each kind of call and outcome (call-outcomes.ts). */
export const CALLS: u32 = 28;
/** Kinds of call × outcomes. */
const CALL_COUNTERS: u32 = 36;
const SIZE: u32 = CALLS + CALL_COUNTERS;

/** The names of the counters, in their order; tags in the form of `metricTag`. */
const names: string[] = [
  "sluice_requests_total.outcome=.=missing;.;",
  "sluice_requests_total.outcome=.=invalid;.;",
  "sluice_requests_total.outcome=.=unavailable;.;",
  "sluice_requests_total.outcome=.=allowed;.;",
  "sluice_requests_total.outcome=.=no_policy;.;",
  "sluice_misses_total.outcome=.=live;.;",
  "sluice_misses_total.outcome=.=revoked;.;",
  "sluice_misses_total.outcome=.=expired;.;",
  "sluice_misses_total.outcome=.=unknown;.;",
  "sluice_misses_total.outcome=.=unverified;.;",
  "sluice_misses_total.outcome=.=denied;.;",
  "sluice_misses_total.outcome=.=forged;.;",
  "sluice_misses_total.outcome=.=too_old;.;",
  "sluice_misses_total.outcome=.=busy;.;",
  "sluice_cas_retries_total",
  "sluice_cas_exhausted_total",
  "sluice_table_full_total",
  "sluice_table_evictions_total",
  "sluice_restores_total",
  "sluice_headers_omitted_total",
  "sluice_table_records",
  "sluice_report_failures_total",
  "sluice_streams_closed_total",
  "sluice_streams_untracked_total",
  "sluice_requests_total.outcome=.=exempt;.;",
  "sluice_requests_total.outcome=.=shadow_missing;.;",
  "sluice_requests_total.outcome=.=shadow_invalid;.;",
  "sluice_requests_total.outcome=.=shadow_unavailable;.;",
];

const counts = new StaticArray<u64>(<i32>SIZE);
const metrics = new StaticArray<usize>(<i32>SIZE);
let named: bool = false;

/** Names them all at once, so that an operator sees them at 0. At configure only. */
export function nameCounters(callNames: StaticArray<string>): void {
  if (named) return;
  named = true;
  for (let i: u32 = 0; i < CALLS; i++) {
    metrics[i] = i == TABLE_RECORDS ? gaugeNamed(names[i]) : counterNamed(names[i]);
  }
  for (let i: u32 = 0; i < CALL_COUNTERS; i++) metrics[CALLS + i] = counterNamed(callNames[i]);
}

// @ts-ignore: decorator
@inline
export function count(which: u32): void {
  unchecked(counts[which]++);
}

export function countMany(which: u32, amount: u64): void {
  unchecked((counts[which] += amount));
}

/** The gauge of TABLE_RECORDS. */
export function recordsGauge(): usize {
  return metrics[TABLE_RECORDS];
}

/** Adds what was counted since the last flush to Envoy's metrics: each count exactly once. */
export function flushCounters(): void {
  for (let i: u32 = 0; i < SIZE; i++) {
    const amount = unchecked(counts[i]);
    if (amount == 0) continue;
    addTo(unchecked(metrics[i]), amount);
    unchecked((counts[i] = 0));
  }
}
