// A session id as text: a UUID in 36 characters (RFC 9562 section 4).
import { SESSION_ID_BYTES } from "../../contract";
import { hexDigit } from "../../memory/bytes";
import { nibbleOf } from "../../memory/ascii";

export const SESSION_ID_CHARS: u32 = 36;
const DASH: u8 = 0x2d;

/** A dash stands before these bytes of the id: 8-4-4-4-12 digits. */
// @ts-ignore: decorator
@inline
function followsDash(byte: u32): bool {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

/** Writes SESSION_ID_CHARS characters, lower case, to `target`. */
export function formatSessionId(sessionId: usize, target: usize): void {
  for (let i: u32 = 0; i < SESSION_ID_BYTES; i++) {
    if (followsDash(i)) store<u8>(target++, DASH);
    const byte = load<u8>(sessionId + i);
    store<u8>(target, hexDigit(byte >> 4));
    store<u8>(target, hexDigit(byte & 15), 1);
    target += 2;
  }
}

/** Reads a UUID of either case into 16 bytes at `target`; false where the text is none. Any version passes. */
export function parseSessionId(text: usize, chars: u32, target: usize): bool {
  if (chars != SESSION_ID_CHARS) return false;
  for (let i: u32 = 0; i < SESSION_ID_BYTES; i++) {
    if (followsDash(i) && load<u8>(text++) != DASH) return false;
    const byte = (nibbleOf(load<u8>(text)) << 4) | nibbleOf(load<u8>(text, 1));
    if (byte < 0) return false;
    store<u8>(target + i, byte);
    text += 2;
  }
  return true;
}
