// Reads one JSON string: its characters, escapes resolved. Rejects control characters and half surrogate pairs.
import { nibbleOf } from "../../memory/ascii";
import { escapedCode } from "./escapes";

const QUOTE: i32 = 0x22;
const BACKSLASH: i32 = 0x5c;

export function isHighSurrogate(unit: i32): bool {
  return (unit & 0xfc00) == 0xd800;
}

export function isLowSurrogate(unit: i32): bool {
  return (unit & 0xfc00) == 0xdc00;
}

/** Starts after the opening quote. `read` answers false with `failure` set and `at` where it stands. */
export class StringReader {
  value: string = "";
  failure: string = "";

  constructor(
    private text: string,
    public at: i32,
  ) {}

  read(): bool {
    const start = this.at;
    const end = this.findEnd();
    if (end < 0) return false;
    // An escape is never shorter than what it stands for.
    const units = new StaticArray<u16>(end - start);
    let count = 0;
    this.at = start;
    while (this.at < end) {
      const unit = this.text.charCodeAt(this.at++);
      if (unit != BACKSLASH) {
        units[count++] = <u16>unit;
        continue;
      }
      const escaped = this.escape();
      if (escaped < 0) return false;
      units[count++] = <u16>escaped;
      if (isLowSurrogate(escaped)) return this.fail(this.at - 6, "half of a surrogate pair");
      if (!isHighSurrogate(escaped)) continue;
      const low = this.lowHalf();
      if (low < 0) return false;
      units[count++] = <u16>low;
    }
    this.at = end + 1;
    this.value = String.UTF16.decodeUnsafe(changetype<usize>(units), (<usize>count) << 1);
    return true;
  }

  /** The offset of the closing quote, or -1. */
  private findEnd(): i32 {
    const length = this.text.length;
    for (let i = this.at; i < length; i++) {
      const unit = this.text.charCodeAt(i);
      if (unit == QUOTE) return i;
      if (unit < 0x20) {
        this.fail(i, "a control character in a string must be escaped");
        return -1;
      }
      if (unit == BACKSLASH) i++;
    }
    this.fail(length, "expected the string's closing quote");
    return -1;
  }

  /** The unit that the escape at `at` (after its backslash) stands for, or -1. */
  private escape(): i32 {
    const letter = this.text.charCodeAt(this.at++);
    if (letter == 0x75) return this.hexUnit();
    const code = escapedCode(letter);
    if (code != 0) return code;
    this.fail(this.at - 2, "unknown escape");
    return -1;
  }

  private lowHalf(): i32 {
    const start = this.at;
    if (this.text.charCodeAt(start) == BACKSLASH && this.text.charCodeAt(start + 1) == 0x75) {
      this.at += 2;
      const low = this.hexUnit();
      if (low < 0 || isLowSurrogate(low)) return low;
    }
    this.fail(start - 6, "half of a surrogate pair");
    return -1;
  }

  private hexUnit(): i32 {
    let unit = 0;
    for (let i = 0; i < 4; i++) {
      const digit = nibbleOf(this.text.charCodeAt(this.at + i));
      if (digit < 0) {
        this.fail(this.at - 2, "expected four hexadecimal digits after \\u");
        return -1;
      }
      unit = (unit << 4) | digit;
    }
    this.at += 4;
    return unit;
  }

  private fail(at: i32, failure: string): bool {
    this.at = at;
    this.failure = failure;
    return false;
  }
}
