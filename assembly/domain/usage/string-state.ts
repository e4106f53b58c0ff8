// One JSON string that comes byte by byte, from behind its opening quote: where it ends, and whether it is a given text.
import { nibbleOf } from "../../memory/ascii";
import { escapedCode } from "../json/escapes";
import { isHighSurrogate, isLowSurrogate } from "../json/strings";

// What the next byte comes to.
export const STRING_GOES_ON: u8 = 0;
export const STRING_ENDS: u8 = 1;
/** It is no string: a control character, or an unknown escape. */
export const STRING_BROKEN: u8 = 2;

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;

// Where the next byte stands.
const IN_TEXT: u8 = 0;
const IN_ESCAPE: u8 = 1;
const IN_HEX: u8 = 2;

/** A view of static memory. Bytes that are no UTF-8 are compared as they are. */
@unmanaged
export class StringState {
  /** Bytes of the text that have come. */
  matched: u32;
  /** The unit of an escape so far. */
  unit: u16;
  /** The first half of a surrogate pair whose second is to come, or 0. */
  high: u16;
  place: u8;
  /** Hex digits of an escape that are still to come. */
  hexLeft: u8;
  /** What has come so far is the beginning of the text. */
  matches: bool;

  /** @param compares false: the string is skipped */
  start(compares: bool): void {
    this.matched = 0;
    this.high = 0;
    this.place = IN_TEXT;
    this.matches = compares;
  }

  /** Whether a string that has ended is the text. */
  isText(textBytes: u32): bool {
    return this.matches && this.high == 0 && this.matched == textBytes;
  }

  /** Whether what comes next may be skipped up to a quote, a backslash or a control character. */
  get isSkipped(): bool {
    return !this.matches && this.place == IN_TEXT;
  }

  /** @param text the bytes that it is compared with, UTF-8 */
  take(byte: u8, text: usize, textBytes: u32): u8 {
    if (this.place == IN_ESCAPE) return this.takeEscape(byte, text, textBytes);
    if (this.place == IN_HEX) return this.takeHex(byte, text, textBytes);
    if (byte == QUOTE) return STRING_ENDS;
    if (byte < 0x20) return STRING_BROKEN;
    if (byte == BACKSLASH) this.place = IN_ESCAPE;
    else this.compare(byte, text, textBytes);
    return STRING_GOES_ON;
  }

  private takeEscape(letter: u8, text: usize, textBytes: u32): u8 {
    if (letter == 0x75) {
      this.place = IN_HEX;
      this.hexLeft = 4;
      this.unit = 0;
      return STRING_GOES_ON;
    }
    const escaped = <u8>escapedCode(letter);
    if (escaped == 0) return STRING_BROKEN;
    this.place = IN_TEXT;
    this.compare(escaped, text, textBytes);
    return STRING_GOES_ON;
  }

  private takeHex(byte: u8, text: usize, textBytes: u32): u8 {
    const digit = nibbleOf(byte);
    if (digit < 0) return STRING_BROKEN;
    this.unit = (this.unit << 4) | (<u16>digit);
    if (--this.hexLeft != 0) return STRING_GOES_ON;
    this.place = IN_TEXT;
    this.compareUnit(this.unit, text, textBytes);
    return STRING_GOES_ON;
  }

  /** A UTF-16 unit, as escapes say them: two may be one character. */
  private compareUnit(unit: u32, text: usize, textBytes: u32): void {
    const isLow = isLowSurrogate(unit);
    if (isHighSurrogate(unit) && this.high == 0) {
      this.high = <u16>unit;
    } else if (isLow != (this.high != 0)) {
      // Half a pair stands in no text.
      this.matches = false;
    } else if (isLow) {
      const point = 0x10000 + (((<u32>this.high) & 0x3ff) << 10) + (unit & 0x3ff);
      this.high = 0;
      this.compare(<u8>(0xf0 | (point >> 18)), text, textBytes);
      this.compareLast(point, 3, text, textBytes);
    } else if (unit < 0x80) {
      this.compare(<u8>unit, text, textBytes);
    } else if (unit < 0x800) {
      this.compare(<u8>(0xc0 | (unit >> 6)), text, textBytes);
      this.compareLast(unit, 1, text, textBytes);
    } else {
      this.compare(<u8>(0xe0 | (unit >> 12)), text, textBytes);
      this.compareLast(unit, 2, text, textBytes);
    }
  }

  /** The bytes of a character behind its first. */
  private compareLast(point: u32, bytes: u32, text: usize, textBytes: u32): void {
    for (let left = bytes; left > 0; left--) {
      this.compare(<u8>(0x80 | ((point >> (6 * (left - 1))) & 0x3f)), text, textBytes);
    }
  }

  private compare(byte: u8, text: usize, textBytes: u32): void {
    if (!this.matches) return;
    const at = this.matched;
    if (this.high == 0 && at < textBytes && load<u8>(text + at) == byte) this.matched = at + 1;
    else this.matches = false;
  }
}
