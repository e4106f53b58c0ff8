// One JSON number that comes byte by byte, as an exact count of millionths. No floating point takes part.
import { USAGE_FOUND, USAGE_INVALID } from "./outcome";

/** The largest value, in millionths: 10^12 units. */
const MAX_MICRO: u64 = 1000000000000000000;
/** Digits that a u64 holds whatever they are. One more, and the number is above MAX_MICRO unless they are decimals. */
const MAX_MANTISSA: u64 = 1000000000000000000;
const MICRO_DECIMALS: i32 = 6;
/** Above the digits of any text that is read, so that an exponent which is cut there still decides the same. */
const EXPONENT_CAP: i32 = 100000000;
/** 10^19 is the largest power of ten in 64 bits. */
const MAX_POWER: i32 = 19;

const MINUS: u8 = 0x2d;
const PLUS: u8 = 0x2b;
const POINT: u8 = 0x2e;
const ZERO: u8 = 0x30;

// RFC 8259, section 6: number = [ minus ] int [ frac ] [ exp ]. What has been read so far:
const AT_START: u8 = 0;
const AFTER_MINUS: u8 = 1;
const AFTER_ZERO: u8 = 2;
const IN_INTEGER: u8 = 3;
const AFTER_POINT: u8 = 4;
const IN_FRACTION: u8 = 5;
const AFTER_E: u8 = 6;
const AFTER_SIGN: u8 = 7;
const IN_EXPONENT: u8 = 8;

/** A view of static memory. */
@unmanaged
export class NumberState {
  /** The first 19 significant digits. */
  mantissa: u64;
  /** The power of ten that the mantissa is to be multiplied by, before the exponent is added. */
  power: i32;
  exponent: i32;
  place: u8;
  isNegative: bool;
  isExponentNegative: bool;
  /** A digit other than 0 did not fit the mantissa. */
  isCut: bool;

  start(): void {
    this.mantissa = 0;
    this.power = 0;
    this.exponent = 0;
    this.place = AT_START;
    this.isNegative = false;
    this.isExponentNegative = false;
    this.isCut = false;
  }

  /** Takes one more byte. False: the number does not go on with it; whether it may end there, `isWhole` says. */
  take(byte: u8): bool {
    const place = this.place;
    if (<u32>byte - ZERO <= 9) return this.takeDigit(byte - ZERO);
    switch (byte) {
      case MINUS: {
        if (place == AT_START) {
          this.isNegative = true;
          this.place = AFTER_MINUS;
          return true;
        }
        if (place != AFTER_E) return false;
        this.isExponentNegative = true;
        this.place = AFTER_SIGN;
        return true;
      }
      case PLUS: {
        if (place != AFTER_E) return false;
        this.place = AFTER_SIGN;
        return true;
      }
      case POINT: {
        if (place != AFTER_ZERO && place != IN_INTEGER) return false;
        this.place = AFTER_POINT;
        return true;
      }
      case 0x65:
      case 0x45: {
        if (place != AFTER_ZERO && place != IN_INTEGER && place != IN_FRACTION) return false;
        this.place = AFTER_E;
        return true;
      }
      default: {
        return false;
      }
    }
  }

  get isWhole(): bool {
    const place = this.place;
    return place == AFTER_ZERO || place == IN_INTEGER || place == IN_FRACTION || place == IN_EXPONENT;
  }

  /** Whether a number that is whole is a value; `micro` is then what it is. */
  get outcome(): u8 {
    if (this.mantissa == 0) return USAGE_FOUND;
    return this.isNegative || this.micro > MAX_MICRO ? USAGE_INVALID : USAGE_FOUND;
  }

  /** The absolute value of a number that is whole, in millionths, rounded up; above MAX_MICRO where it is too large. */
  get micro(): u64 {
    let value = this.mantissa;
    if (value == 0) return 0;
    let shift = this.power + MICRO_DECIMALS + (this.isExponentNegative ? -this.exponent : this.exponent);
    if (shift < 0) return this.rounded(value, -shift);
    // Ends after 19 rounds at most: the value is not 0.
    for (; shift > 0 && value <= MAX_MICRO; shift--) value *= 10;
    return value + (this.isCut ? 1 : 0);
  }

  /** Divided by a power of ten, rounded up. */
  private rounded(value: u64, places: i32): u64 {
    if (places > MAX_POWER) return 1;
    let divisor: u64 = 1;
    for (let i = 0; i < places; i++) divisor *= 10;
    const whole = value / divisor;
    return whole + (value % divisor != 0 || this.isCut ? 1 : 0);
  }

  private takeDigit(digit: u8): bool {
    switch (this.place) {
      case AFTER_ZERO: {
        return false;
      }
      case AT_START:
      case AFTER_MINUS: {
        this.place = digit == 0 ? AFTER_ZERO : IN_INTEGER;
        this.mantissa = digit;
        return true;
      }
      case IN_INTEGER: {
        if (!this.append(digit)) this.power++;
        return true;
      }
      case AFTER_POINT:
      case IN_FRACTION: {
        this.place = IN_FRACTION;
        if (this.append(digit)) this.power--;
        return true;
      }
      default: {
        this.place = IN_EXPONENT;
        if (this.exponent < EXPONENT_CAP) this.exponent = this.exponent * 10 + digit;
        return true;
      }
    }
  }

  /** False: the mantissa is full. */
  private append(digit: u8): bool {
    if (this.mantissa >= MAX_MANTISSA) {
      if (digit != 0) this.isCut = true;
      return false;
    }
    this.mantissa = this.mantissa * 10 + digit;
    return true;
  }
}
