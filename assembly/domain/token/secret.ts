// Reads the installation's secret as an operator writes it: hex, base64 or base64url.
import { nibbleOf } from "../../memory/ascii";
import { sextetOf } from "./base64url";

export const SECRET_MALFORMED: i32 = -1;
export const SECRET_TOO_LONG: i32 = -2;

/**
 * Decodes `chars` characters into at most `targetBytes` bytes at `target`; answers their number, SECRET_MALFORMED or
 * SECRET_TOO_LONG. A text of hex digits only is hex, so that one cut short is not taken for a longer base64; base64 may
 * be of either alphabet, padded or not. Whitespace around it does not count: secrets come from files.
 */
export function decodeSecret(text: usize, chars: u32, target: usize, targetBytes: u32): i32 {
  while (chars > 0 && isSpace(load<u8>(text))) {
    text++;
    chars--;
  }
  while (chars > 0 && isSpace(load<u8>(text + chars - 1))) chars--;
  return isHex(text, chars)
    ? decodeHex(text, chars, target, targetBytes)
    : decodeBase64(text, chars, target, targetBytes);
}

function isSpace(char: u8): bool {
  return char == 0x20 || (char >= 0x09 && char <= 0x0d);
}

function isHex(text: usize, chars: u32): bool {
  for (let i: u32 = 0; i < chars; i++) {
    if (nibbleOf(load<u8>(text + i)) < 0) return false;
  }
  return true;
}

function decodeHex(text: usize, chars: u32, target: usize, targetBytes: u32): i32 {
  if ((chars & 1) != 0) return SECRET_MALFORMED;
  const bytes = chars >> 1;
  if (bytes > targetBytes) return SECRET_TOO_LONG;
  for (let i: u32 = 0; i < bytes; i++) {
    const at = text + (i << 1);
    store<u8>(target + i, (nibbleOf(load<u8>(at)) << 4) | nibbleOf(load<u8>(at, 1)));
  }
  return bytes;
}

function decodeBase64(text: usize, chars: u32, target: usize, targetBytes: u32): i32 {
  const digits = chars - paddingOf(text, chars);
  if ((digits & 3) == 1) return SECRET_MALFORMED;
  // Divided before multiplied, so that no length overflows.
  const bytes = (digits >> 2) * 3 + (((digits & 3) * 3) >> 2);
  if (bytes > targetBytes) return SECRET_TOO_LONG;
  let bits: u32 = 0;
  let held = 0;
  for (let i: u32 = 0; i < digits; i++) {
    const sextet = eitherSextetOf(load<u8>(text + i));
    if (sextet < 0) return SECRET_MALFORMED;
    bits = (bits << 6) | sextet;
    held += 6;
    if (held >= 8) {
      held -= 8;
      store<u8>(target++, bits >> held);
    }
  }
  return bytes;
}

/** Padding counts only where it completes a group of four. */
function paddingOf(text: usize, chars: u32): u32 {
  if (chars == 0 || (chars & 3) != 0 || load<u8>(text + chars - 1) != 0x3d) return 0;
  return load<u8>(text + chars - 2) == 0x3d ? 2 : 1;
}

function eitherSextetOf(char: u8): i32 {
  if (char == 0x2b) return 62;
  if (char == 0x2f) return 63;
  return sextetOf(char);
}
