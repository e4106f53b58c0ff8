// base64url (RFC 4648 section 5) without padding, between two addresses.

/** The value of each possible byte as a base64url character; -1 where it is none. */
// prettier-ignore
const SEXTETS = memory.data<i8>([
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
  -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, 63,
  -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
]);

const ALPHABET: string = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The six bits that a character (one byte) stands for, or -1. */
// @ts-ignore: decorator
@inline
export function sextetOf(char: u8): i32 {
  return load<i8>(SEXTETS + char);
}

/**
 * Decodes `chars` characters, a multiple of 8, into chars ÷ 4 × 3 bytes at `target`. False where any character is
 * outside `A-Za-z0-9-_`; the target then holds nothing of use. Every request pays for it: so a step takes eight
 * characters with two stores, and wrong characters are looked for once, at the end.
 */
export function decodeBase64Url(source: usize, chars: u32, target: usize): bool {
  const end = source + chars;
  let seen: i64 = 0;
  while (source < end) {
    const high = quartetOf(source);
    const low = quartetOf(source + 4);
    seen |= high | low;
    const bits = (high << 24) | low;
    store<u32>(target, bswap<u32>(<u32>(bits >> 16)));
    store<u16>(target, bswap<u16>(<u16>bits), 4);
    source += 8;
    target += 6;
  }
  return seen >= 0;
}

/** The 24 bits that four characters stand for; below 0 where one is none. */
// @ts-ignore: decorator
@inline
function quartetOf(source: usize): i64 {
  const a: i64 = sextetOf(load<u8>(source));
  const b: i64 = sextetOf(load<u8>(source, 1));
  const c: i64 = sextetOf(load<u8>(source, 2));
  const d: i64 = sextetOf(load<u8>(source, 3));
  return (a << 18) | (b << 12) | (c << 6) | d;
}

// @ts-ignore: decorator
@inline
function charOf(sextet: u32): u8 {
  return load<u8>(changetype<usize>(ALPHABET) + ((<usize>sextet) << 1));
}

/** Encodes `bytes` bytes; answers the number of characters written at `target`: ceil(bytes × 4 ÷ 3). */
export function encodeBase64Url(source: usize, bytes: u32, target: usize): u32 {
  const start = target;
  let left = bytes;
  while (left >= 3) {
    const bits: u32 = ((<u32>load<u8>(source)) << 16) | ((<u32>load<u8>(source, 1)) << 8) | load<u8>(source, 2);
    store<u8>(target, charOf(bits >> 18));
    store<u8>(target, charOf((bits >> 12) & 63), 1);
    store<u8>(target, charOf((bits >> 6) & 63), 2);
    store<u8>(target, charOf(bits & 63), 3);
    source += 3;
    target += 4;
    left -= 3;
  }
  if (left > 0) {
    const second: u32 = left == 2 ? load<u8>(source, 1) : 0;
    const bits: u32 = ((<u32>load<u8>(source)) << 16) | (second << 8);
    store<u8>(target, charOf(bits >> 18));
    store<u8>(target, charOf((bits >> 12) & 63), 1);
    if (left == 2) store<u8>(target, charOf((bits >> 6) & 63), 2);
    target += left + 1;
  }
  return <u32>(target - start);
}
