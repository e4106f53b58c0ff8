// The trace of a request that has to wait for a call: noted with what it asks, and sent with that call (docs/tracing.md).
import { MAX_TRACESTATE_BYTES, TRACEPARENT_BYTES, isTraceparent, isTracestate } from "../../domain/edge/traceparent";
import { headerBytes, headerValue, readRequestHeader } from "../../host/headers";
import { OK } from "../../host/status";
import { addressOf, utf8 } from "../../memory/bytes";
import { addPair } from "../../memory/header-pairs";

/** Of a note: a traceparent, or a first byte of 0 where there is none. */
export const TRACE_BYTES: u32 = 56;

const TRACEPARENT = utf8("traceparent");
const TRACESTATE = utf8("tracestate");

/** Address of the note whose trace the next call carries; 0: none. */
let next: usize = 0;
/** Of the next call. Only the request that sends its own call has one: one of a queue is asked for later, without its headers. */
const tracestate: usize = memory.data(MAX_TRACESTATE_BYTES);
let tracestateBytes: u32 = 0;

/** Notes the trace of the stream that was entered. Host calls: only where it has to wait anyway. */
export function noteTrace(note: usize): void {
  store<u8>(note, 0);
  if (readRequestHeader(addressOf(TRACEPARENT), TRACEPARENT.byteLength) != OK) return;
  if (isTraceparent(headerValue(), headerBytes())) memory.copy(note, headerValue(), TRACEPARENT_BYTES);
}

export function noteNoTrace(note: usize): void {
  store<u8>(note, 0);
}

export function hasTrace(note: usize): bool {
  return load<u8>(note) != 0;
}

/** The call that is sent next carries this trace, unless it carries one already: that of the first who asked. */
export function carryTrace(note: usize): void {
  if (next == 0 && hasTrace(note)) next = note;
}

/** The same for the stream that was entered, with its tracestate. */
export function carryOwnTrace(note: usize): void {
  tracestateBytes = 0;
  if (!hasTrace(note)) return;
  next = note;
  if (readRequestHeader(addressOf(TRACESTATE), TRACESTATE.byteLength) != OK) return;
  if (!isTracestate(headerValue(), headerBytes())) return;
  tracestateBytes = headerBytes();
  memory.copy(tracestate, headerValue(), tracestateBytes);
}

/** Adds the trace's headers to a call's, as its last ones; the call after it has none. */
export function addTrace(): void {
  if (next == 0) return;
  addPair(addressOf(TRACEPARENT), TRACEPARENT.byteLength, next, TRACEPARENT_BYTES);
  if (tracestateBytes != 0) addPair(addressOf(TRACESTATE), TRACESTATE.byteLength, tracestate, tracestateBytes);
  next = 0;
  tracestateBytes = 0;
}
