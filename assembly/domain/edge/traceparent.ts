// The form of a W3C traceparent and tracestate: whatever else a client sent goes into no call's headers.

/** `00-` trace id `-` parent id `-` flags. */
export const TRACEPARENT_BYTES: u32 = 55;
/** What everyone who passes a tracestate on must take; a longer one may be left out. */
export const MAX_TRACESTATE_BYTES: u32 = 512;

const DASH: u8 = 45;
const ZERO: u8 = 48;
const F: u8 = 102;
const TRACE_AT: u32 = 3;
const PARENT_AT: u32 = 36;
const FLAGS_AT: u32 = 53;

/**
 * Whether a header's value is a traceparent of the form that all versions so far have: lower-case hex, version not ff, neither id
 * all zero. A longer one, of a version to come, is none.
 */
export function isTraceparent(value: usize, bytes: u32): bool {
  if (bytes != TRACEPARENT_BYTES) return false;
  for (let i: u32 = 0; i < TRACEPARENT_BYTES; i++) {
    const char = load<u8>(value + i);
    const isDash = i == TRACE_AT - 1 || i == PARENT_AT - 1 || i == FLAGS_AT - 1;
    if (isDash ? char != DASH : !isHex(char)) return false;
  }
  if (load<u8>(value) == F && load<u8>(value, 1) == F) return false;
  return hasDigit(value + TRACE_AT, 32) && hasDigit(value + PARENT_AT, 16);
}

/** Whether a header's value is visible ASCII with spaces, and short enough. What it says is its vendors'. */
export function isTracestate(value: usize, bytes: u32): bool {
  if (bytes == 0 || bytes > MAX_TRACESTATE_BYTES) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    const char = load<u8>(value + i);
    if (char < 32 || char > 126) return false;
  }
  return true;
}

function isHex(char: u8): bool {
  return (char >= ZERO && char <= 57) || (char >= 97 && char <= F);
}

/** Other than 0. */
function hasDigit(id: usize, chars: u32): bool {
  for (let i: u32 = 0; i < chars; i++) if (load<u8>(id + i) != ZERO) return true;
  return false;
}
