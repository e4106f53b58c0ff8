// A duration in words: `30s`, `1h30m`. The form of the Gateway API (GEP-2257) with days and of any length. Larger
// units stand before smaller ones.
import { MAX_SAFE_INTEGER } from "../../contract";
import { isDigit } from "../../memory/ascii";

export const DURATION_EXAMPLE: string = '"1m30s"';

const UNITS: StaticArray<string> = ["d", "h", "m", "s", "ms"];
const UNIT_MS: StaticArray<u64> = [86400000, 3600000, 60000, 1000, 1];
/** More than any duration has: 10 years are 12 digits of ms. */
const MAX_DIGITS: i32 = 12;

/** In ms, or -1 for a text that is no duration, or one beyond all bounds. */
export function durationMs(text: string): i64 {
  let total: u64 = 0;
  let nextUnit = 0;
  let at = 0;
  while (at < text.length) {
    const digitsEnd = endOfRun(text, at, true);
    const unitEnd = endOfRun(text, digitsEnd, false);
    const digits = digitsEnd - at;
    const unit = UNITS.indexOf(text.substring(digitsEnd, unitEnd), nextUnit);
    if (digits == 0 || digits > MAX_DIGITS || unit < 0) return -1;
    const count = U64.parseInt(text.substring(at, digitsEnd), 10);
    if (count > (MAX_SAFE_INTEGER - total) / UNIT_MS[unit]) return -1;
    total += count * UNIT_MS[unit];
    nextUnit = unit + 1;
    at = unitEnd;
  }
  return text.length == 0 ? -1 : <i64>total;
}

/** Where the digits, or what is no digit, that begin at `start` end. */
function endOfRun(text: string, start: i32, ofDigits: bool): i32 {
  let at = start;
  while (at < text.length && isDigit(text.charCodeAt(at)) == ofDigits) at++;
  return at;
}
