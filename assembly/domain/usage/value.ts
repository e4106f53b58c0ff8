// A value that stands for itself: the text of a header or a trailer, or what another filter has written as metadata.
import { NumberState } from "./number-state";
import { USAGE_ABSENT, USAGE_FOUND, USAGE_INVALID } from "./outcome";

/** The largest value, in whole units. */
const MAX_UNITS: f64 = 1000000000000;
const MICRO_PER_UNIT: f64 = 1000000;
const DOUBLE_BYTES: u32 = 8;

const number = changetype<NumberState>(memory.data(offsetof<NumberState>(), 8));
let micro: u64 = 0;

/** What the text is: USAGE_FOUND where it is a JSON number and no more (RFC 8259, section 6). */
export function readValueText(text: usize, length: u32): u8 {
  if (length == 0) return USAGE_ABSENT;
  number.start();
  for (let i: u32 = 0; i < length; i++) if (!number.take(load<u8>(text + i))) return USAGE_INVALID;
  if (!number.isWhole || number.outcome != USAGE_FOUND) return USAGE_INVALID;
  micro = number.micro;
  return USAGE_FOUND;
}

/**
 * The same of what the host hands over of a metadata value: a text, or the 8 bytes of a number, which is taken to the
 * nearest millionth. A number of such a size is never the text of one too: its last byte is no character of a number.
 */
export function readMetadataValue(value: usize, length: u32): u8 {
  if (length != DOUBLE_BYTES || isNumberText(value, length)) return readValueText(value, length);
  const double = load<f64>(value);
  // NaN meets neither.
  if (!(double >= 0 && double <= MAX_UNITS)) return USAGE_INVALID;
  const whole = Math.floor(double);
  micro = <u64>whole * <u64>MICRO_PER_UNIT + <u64>nearest((double - whole) * MICRO_PER_UNIT);
  return USAGE_FOUND;
}

/** The value that was found last, in millionths. */
export function valueMicro(): u64 {
  return micro;
}

function isNumberText(text: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) {
    const byte = load<u8>(text + i);
    const isMark = byte == 0x2b || byte == 0x2d || byte == 0x2e || (byte | 0x20) == 0x65;
    if (<u32>byte - 0x30 > 9 && !isMark) return false;
  }
  return true;
}
