// The outcomes of the calls to the control plane: counted by call and outcome, and logged in Envoy's log, so that an
// operator sees an edge that cannot reach the control plane.
import { headerBytes, headerValue, readCallHeader } from "../../host/headers";
import { logInfo, logWarn } from "../../host/log";
import { OK as HOST_OK } from "../../host/status";
import { addressOf, utf8 } from "../../memory/bytes";
import { CALL_KINDS, OUTCOMES } from "../state/call-failures";
import { CALLS, count } from "../vm/counters";
import { metricTag } from "../vm/metrics";
import { Table } from "../state/table";

// The calls.
export const CALL_ACQUIRE: u32 = 0;
export const CALL_REPORT: u32 = 1;
export const CALL_WATCH: u32 = 2;
export const CALL_LEASE: u32 = 3;
const callWords: StaticArray<string> = ["acquire", "report", "watch", "lease"];

// The outcomes.
export const OUTCOME_OK: u32 = 0;
const NO_CLUSTER: u32 = 1;
const NO_HOST: u32 = 2;
export const OUTCOME_TIMEOUT: u32 = 3;
const UNAUTHORIZED: u32 = 4;
const OVERLOADED: u32 = 5;
const FAILED: u32 = 6;
/** A 200 whose body is no answer of a control plane. */
export const OUTCOME_MALFORMED: u32 = 7;
/** Any other 4xx: the call is understood, and not wanted. */
const REJECTED: u32 = 8;
const outcomeWords: StaticArray<string> = [
  "ok",
  "no_cluster",
  "no_host",
  "timeout",
  "unauthorized",
  "overloaded",
  "error",
  "malformed",
  "rejected",
];

/** The text of the log line, after `calls to cluster "…" fail: `. */
const sentences: StaticArray<string> = [
  "",
  "Envoy has no cluster of this name",
  "no host of it can be reached",
  "no answer within the timeout",
  "the credential is denied, SLUICE_SECRET differs between this Envoy and the control plane",
  "the control plane is overloaded or starting",
  "the answer is an error",
  "the answer is none of a control plane, or of another version",
  "the call is rejected, the control plane is of another version, or the cluster leads elsewhere",
];

/** What the host answers to a call that it does not send (Proxy-Wasm ABI 0.2.1, WasmResult). */
const BAD_ARGUMENT: u32 = 2;
const INTERNAL_FAILURE: u32 = 10;

const STATUS = utf8(":status");
const CONTENT_TYPE = utf8("content-type");
/** A failure is logged at most once in this time. */
const QUIET_US: u64 = 60000000;

/** Of `sluice_calls_total`, by call and outcome, in the order of the counters. */
export function callCounterNames(): StaticArray<string> {
  const names = new StaticArray<string>(<i32>(CALL_KINDS * OUTCOMES));
  for (let i: u32 = 0; i < CALL_KINDS * OUTCOMES; i++) {
    const call = metricTag("call", callWords[i / OUTCOMES]);
    names[i] = `sluice_calls_total.${call}${metricTag("outcome", outcomeWords[i % OUTCOMES])}`;
  }
  return names;
}

/** A call was not sent; `status` is the host's answer. No callback will come. */
export function noteUnsent(table: Table, call: u32, status: u32): void {
  noteOutcome(table, call, status == BAD_ARGUMENT ? NO_CLUSTER : status == INTERNAL_FAILURE ? NO_HOST : FAILED);
}

/**
 * The outcome of the answer at hand by its status. Envoy itself answers 504 for a timeout and 503, as text, where it
 * cannot connect; the control plane's own 503 is JSON.
 */
export function answeredOutcome(): u32 {
  if (readCallHeader(addressOf(STATUS), STATUS.byteLength) != HOST_OK || headerBytes() != 3) return FAILED;
  const at = headerValue();
  const status = (<u32>load<u8>(at) - 48) * 100 + (<u32>load<u8>(at, 1) - 48) * 10 + (<u32>load<u8>(at, 2) - 48);
  switch (status) {
    case 200:
      return OUTCOME_OK;
    case 401:
    case 403:
      return UNAUTHORIZED;
    case 429:
      return OVERLOADED;
    case 503:
      return isJson() ? OVERLOADED : NO_HOST;
    case 504:
      return OUTCOME_TIMEOUT;
    default:
      return status >= 400 && status < 500 ? REJECTED : FAILED;
  }
}

/** Whether somebody answered who will not say it: then nothing speaks for trust. 429 asks for patience, and is none. */
export function isRejection(outcome: u32): bool {
  return outcome == UNAUTHORIZED || outcome == REJECTED;
}

/** Counts the outcome of a call. The end of a failure is logged at once, a failure on the next tick: a request logs nothing. */
export function noteOutcome(table: Table, call: u32, outcome: u32): void {
  count(CALLS + call * OUTCOMES + outcome);
  const failures = table.failures;
  if (outcome != OUTCOME_OK) {
    failures.since[outcome]++;
    failures.lastCall[outcome] = call;
  } else if (failures.isFailing[call]) {
    failures.isFailing[call] = false;
    logInfo(`calls to cluster "${nameOf(table)}" succeed again: ${callWords[call]}`);
  }
}

/**
 * On a tick: logs the failures that have happened and were not logged for a while.
 * @returns whether there were any, which leaves garbage
 */
export function logFailures(table: Table, nowUs: u64): bool {
  const failures = table.failures;
  let hasLogged = false;
  for (let outcome: u32 = OUTCOME_OK + 1; outcome < OUTCOMES; outcome++) {
    const times = failures.since[outcome];
    const loggedAtUs = failures.loggedAtUs[outcome];
    if (times == 0 || (loggedAtUs != 0 && nowUs - loggedAtUs < QUIET_US)) continue;
    const call = failures.lastCall[outcome];
    const often = times == 1 ? "" : ` (${times} times since this was said last)`;
    logWarn(`calls to cluster "${nameOf(table)}" fail: ${callWords[call]}: ${sentences[outcome]}${often}`);
    failures.loggedAtUs[outcome] = nowUs;
    failures.since[outcome] = 0;
    failures.isFailing[call] = true;
    hasLogged = true;
  }
  return hasLogged;
}

function nameOf(table: Table): string {
  return String.UTF8.decode(table.cluster);
}

function isJson(): bool {
  if (readCallHeader(addressOf(CONTENT_TYPE), CONTENT_TYPE.byteLength) != HOST_OK) return false;
  const json = "application/json";
  if (headerBytes() < <u32>json.length) return false;
  for (let i = 0; i < json.length; i++) if (load<u8>(headerValue() + i) != <u8>json.charCodeAt(i)) return false;
  return true;
}
