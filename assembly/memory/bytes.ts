// Writing text as bytes into static buffers: what the request path does instead of building strings.

/** The decimal digits of the largest u64. */
const MAX_DIGITS: u32 = 20;
const digits: usize = memory.data(20);

/** Writes `value` in decimal at `target`. Returns the address behind it. */
export function writeDecimal(target: usize, value: u64): usize {
  let start = MAX_DIGITS;
  do {
    start--;
    store<u8>(digits + start, <u8>(48 + (value % 10)));
    value /= 10;
  } while (value != 0);
  const length = MAX_DIGITS - start;
  memory.copy(target, digits + start, length);
  return target + length;
}

/** Writes `value`, with its sign if it is below 0. Returns the address behind it. */
export function writeSigned(target: usize, value: i64): usize {
  if (value >= 0) return writeDecimal(target, value);
  store<u8>(target, 45); // "-"
  return writeDecimal(target + 1, <u64>0 - <u64>value);
}

/** Eight at a time: `memory.compare` takes them one by one. */
export function sameBytes(first: usize, second: usize, length: u32): bool {
  let left = length;
  while (left >= 8) {
    if (load<u64>(first) != load<u64>(second)) return false;
    first += 8;
    second += 8;
    left -= 8;
  }
  while (left > 0) {
    if (load<u8>(first++) != load<u8>(second++)) return false;
    left--;
  }
  return true;
}

/** Copies `length` bytes to `target`. Returns the address behind them. */
export function writeBytes(target: usize, source: usize, length: u32): usize {
  memory.copy(target, source, length);
  return target + length;
}

/**
 * Writes a literal of ASCII characters at `target`, one byte each. Returns the address behind it.
 * Literals lie in static memory, so nothing is allocated.
 */
export function writeAscii(target: usize, text: string): usize {
  const source = changetype<usize>(text);
  const length = <u32>text.length;
  for (let i: u32 = 0; i < length; i++) store<u8>(target + i, load<u8>(source + (i << 1)));
  return target + length;
}

/** Writes `value` as 16 lower-case hex digits, the highest first. Returns the address behind them. */
export function writeHexU64(target: usize, value: u64): usize {
  for (let i: u32 = 0; i < 16; i++) store<u8>(target + i, hexDigit(<u8>((value >> (60 - (i << 2))) & 15)));
  return target + 16;
}

/** The lower-case digit of a nibble. */
export function hexDigit(nibble: u8): u8 {
  return nibble < 10 ? 48 + nibble : 87 + nibble;
}

/** The bytes of a literal outside of the managed heap, which the collector walks after every answer. */
@unmanaged
export class FixedText {
  bytes: u32;


  @inline
  get address(): usize {
    return changetype<usize>(this) + offsetof<FixedText>();
  }
}

/** Of ASCII characters; for good, so only while the module starts. */
export function fixedText(text: string): FixedText {
  const fixed = changetype<FixedText>(heap.alloc(offsetof<FixedText>() + text.length));
  fixed.bytes = text.length;
  writeAscii(fixed.address, text);
  return fixed;
}

/** The UTF-8 bytes of `text`, managed: at configure only. */
export function utf8(text: string): ArrayBuffer {
  return String.UTF8.encode(text);
}

// @ts-ignore: decorator
@inline
export function addressOf(bytes: ArrayBuffer): usize {
  return changetype<usize>(bytes);
}
