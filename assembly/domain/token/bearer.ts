// The token in an Authorization header: `Bearer`, in any case, and the token (RFC 6750 section 2.1).
import { TOKEN_CHARS } from "../../contract";

const SCHEME_CHARS: u32 = 6;
/** "bear" and "er", as they lie in memory. */
const BEAR: u32 = 0x72616562;
const ER: u16 = 0x7265;
const LOWER_CASE: u32 = 0x20202020;
const SPACE: u8 = 0x20;
const TAB: u8 = 0x09;
const COMMA: u8 = 0x2c;

/**
 * The address of the TOKEN_CHARS characters that stand behind the scheme; 0 where another scheme stands there, or a value
 * of another length: that is somebody else's.
 */
export function bearerToken(value: usize, bytes: u32): usize {
  if (bytes <= SCHEME_CHARS + TOKEN_CHARS || load<u8>(value, SCHEME_CHARS) != SPACE) return 0;
  if ((load<u32>(value) | LOWER_CASE) != BEAR || (load<u16>(value, 4) | (<u16>LOWER_CASE)) != ER) return 0;
  const token = value + bytes - TOKEN_CHARS;
  for (let at = value + SCHEME_CHARS; at < token; at++) {
    if (load<u8>(at) != SPACE) return 0;
  }
  return token;
}

/**
 * Whether a Bearer token of our length stands anywhere in the value: Envoy joins several Authorization lines with commas.
 * Also behind a tab, where bearerToken takes none, and others may.
 * @param value may be changed
 */
export function holdsBearerToken(value: usize, bytes: u32): bool {
  // Nearly always it is alone.
  if (bearerToken(value, bytes) != 0) return true;
  const end = value + bytes;
  for (let start = value; start < end;) {
    const comma = endOfPart(start, end);
    const stop = withoutSpaces(start, comma);
    while (start < stop && load<u8>(start) == SPACE) start++;
    if (bearerToken(start, <u32>(stop - start)) != 0) return true;
    start = comma + 1;
  }
  return false;
}

/** Up to the next comma. A tab becomes a space. */
function endOfPart(at: usize, end: usize): usize {
  for (; at < end && load<u8>(at) != COMMA; at++) if (load<u8>(at) == TAB) store<u8>(at, SPACE);
  return at;
}

/** The end without the spaces before it. */
function withoutSpaces(start: usize, end: usize): usize {
  while (end > start && load<u8>(end - 1) == SPACE) end--;
  return end;
}
