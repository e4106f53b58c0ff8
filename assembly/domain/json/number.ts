// A JSON number's text as an exact, scaled integer. No floating point takes part, so nothing is rounded or wrapped.

export const NUMBER_FITS: u8 = 0;
export const NUMBER_NEGATIVE: u8 = 1;
/** It has more decimals than asked for. */
export const NUMBER_TOO_FINE: u8 = 2;
/** It is above 2^64 - 1 once scaled. */
export const NUMBER_TOO_LARGE: u8 = 3;

/** Above the length of any text, so that an exponent which is cut there still decides the same. */
const EXPONENT_CAP: i64 = 1000000000000;

/** `value` counts only when `state` is NUMBER_FITS. */
export class ScaledNumber {
  constructor(
    public state: u8,
    public value: u64,
  ) {}
}

/**
 * The number × 10^decimals. `1e1` and `1.0` are integers, `-0` is 0.
 * @param text a number as the reader accepts it (RFC 8259 section 6)
 */
export function scaleNumber(text: string, decimals: i32): ScaledNumber {
  const mantissa = new Mantissa(text);
  if (mantissa.value == 0 && !mantissa.overflows) return new ScaledNumber(NUMBER_FITS, 0);
  if (mantissa.negative) return new ScaledNumber(NUMBER_NEGATIVE, 0);
  let shift = mantissa.power + exponentFrom(text, mantissa.end) + decimals;
  if (shift < 0) return new ScaledNumber(NUMBER_TOO_FINE, 0);
  if (mantissa.overflows) return new ScaledNumber(NUMBER_TOO_LARGE, 0);
  let value = mantissa.value;
  // Ends after 20 rounds at most: the value is not 0, so it outgrows 64 bits.
  for (; shift > 0; shift--) {
    if (value > u64.MAX_VALUE / 10) return new ScaledNumber(NUMBER_TOO_LARGE, 0);
    value *= 10;
  }
  return new ScaledNumber(NUMBER_FITS, value);
}

/** The digits before the exponent as value × 10^power, with no zero at the value's end. */
class Mantissa {
  negative: bool = false;
  value: u64 = 0;
  /** More digits than 64 bits hold; value is then without meaning. */
  overflows: bool = false;
  power: i64 = 0;
  /** Where the exponent begins, or the text's end. */
  end: i32 = 0;

  constructor(text: string) {
    let fractionDigits: i64 = 0;
    let zeros: i64 = 0;
    let pastPoint = false;
    let at = 0;
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if ((unit | 0x20) == 0x65) break;
      if (unit == 0x2d) this.negative = true;
      else if (unit == 0x2e) pastPoint = true;
      else {
        if (pastPoint) fractionDigits++;
        if (unit == 0x30) zeros++;
        else {
          this.append(zeros, <u64>(unit - 0x30));
          zeros = 0;
        }
      }
    }
    this.power = zeros - fractionDigits;
    this.end = at;
  }

  private append(zeros: i64, digit: u64): void {
    if (this.value != 0) for (let i: i64 = 0; i < zeros && !this.overflows; i++) this.push(0);
    this.push(digit);
  }

  private push(digit: u64): void {
    if (this.overflows) return;
    if (this.value > (u64.MAX_VALUE - digit) / 10) this.overflows = true;
    else this.value = this.value * 10 + digit;
  }
}

function exponentFrom(text: string, start: i32): i64 {
  let exponent: i64 = 0;
  let negative = false;
  for (let i = start + 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == 0x2d) negative = true;
    else if (unit != 0x2b && exponent < EXPONENT_CAP) exponent = exponent * 10 + (unit - 0x30);
  }
  return negative ? -exponent : exponent;
}
