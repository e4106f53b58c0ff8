// Reading numbers from text that the host has written.

/** More digits than 2^53 has. */
const MAX_DECIMALS: u32 = 16;
const HEX_DIGITS: u32 = 16;

/** The number that `length` decimal digits make; 0 where they are none, or too many. */
export function readDecimal(text: usize, length: u32): u64 {
  if (length == 0 || length > MAX_DECIMALS) return 0;
  let value: u64 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const digit = <u32>load<u8>(text + i) - 48;
    if (digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}

/** The number that 16 lower-case hex digits make; 0 where they are none. */
export function readHexU64(text: usize, length: u32): u64 {
  if (length != HEX_DIGITS) return 0;
  let value: u64 = 0;
  for (let i: u32 = 0; i < HEX_DIGITS; i++) {
    const char = <u32>load<u8>(text + i);
    const digit = char - 48 <= 9 ? char - 48 : char - 97 <= 5 ? char - 87 : 16;
    if (digit == 16) return 0;
    value = (value << 4) | digit;
  }
  return value;
}
