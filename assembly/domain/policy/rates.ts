// Validates how a bucket fills: tokens a second, or tokens in a number of seconds, minutes, hours or days.
import { MAX_REFILL_RATE, MAX_REFILL_UNITS, MAX_TOKENS, REFILL_RATE_DECIMALS } from "../../contract";
import { JSON_STRING } from "../json/node";
import { Field } from "./field";
import { Fields } from "./fields";
import { Limit } from "./limit-model";

const UNITS: StaticArray<string> = ["s", "m", "h", "d"];
const UNIT_SECONDS: StaticArray<u64> = [1, 60, 3600, 86400];
/** A token in a second is so many picotokens in a microsecond. */
const PICO_PER_US: u64 = 1000000;

/** Exactly one of the two says it; `null` says nothing. */
export function validateRate(fields: Fields, limit: Limit): void {
  const rate = fields.optional("tokenRefillRate");
  const refill = fields.optional("refill");
  if (rate.isGiven) {
    if (rate.isMillionths(0, MAX_REFILL_RATE, limit.ratePico)) limit.ratePico = rate.read;
    else rate.rejectNumber(expectedRate(), 0);
  } else if (!refill.isGiven) rate.lacks(`${expectedRate()}, or refill in its place`);
  if (!refill.isGiven) return;
  if (rate.isGiven) refill.violation("expected either tokenRefillRate or refill, got both");
  else if (refill.fits && !readRefill(refill, limit)) refill.reject(expectedRefill());
}

// Made when it is needed, not kept: the garbage collector, which runs after every answer of the control plane, visits all
// that is kept.
function expectedRate(): string {
  return `a number from 0 to ${MAX_REFILL_RATE} with at most ${REFILL_RATE_DECIMALS} decimals`;
}

function expectedRefill(): string {
  return (
    `a refill such as "10/s", "10/5m" or "10000/1d": 1 to ${MAX_TOKENS} tokens in 1 to ${MAX_REFILL_UNITS} of s, m, h or d, ` +
    `at most ${MAX_REFILL_RATE} a second`
  );
}

/** `N/UNIT` in its parts. */
class Refill {
  constructor(
    public tokens: u64,
    public units: u64,
    /** `s`, `m`, `h` or `d`. */
    public unit: string,
  ) {}

  get seconds(): u64 {
    return this.units * UNIT_SECONDS[UNITS.indexOf(this.unit)];
  }
}

/** Null where the text has another form; its numbers may be out of range. */
function parseRefill(text: string): Refill | null {
  const slash = text.indexOf("/");
  const last = text.length - 1;
  if (slash < 0 || slash == last) return null;
  const tokens = text.substring(0, slash);
  const units = text.substring(slash + 1, last);
  const unit = text.charAt(last);
  if (!UNITS.includes(unit) || !isCount(tokens) || (units.length > 0 && !isCount(units))) return null;
  return new Refill(U64.parseInt(tokens, 10), units.length == 0 ? 1 : U64.parseInt(units, 10), unit);
}

function readRefill(field: Field, limit: Limit): bool {
  const node = field.node;
  const refill = node !== null && node.kind == JSON_STRING ? parseRefill(node.text) : null;
  if (refill === null || refill.tokens > MAX_TOKENS || refill.units > MAX_REFILL_UNITS) return false;
  const seconds = refill.seconds;
  if (refill.tokens > MAX_REFILL_RATE * seconds) return false;
  const pico = refill.tokens * PICO_PER_US;
  const divisor = greatestCommonDivisor(pico, seconds);
  limit.ratePico = pico / divisor;
  limit.rateUs = <u32>(seconds / divisor);
  limit.refill = `${refill.tokens}/${refill.units}${refill.unit}`;
  return true;
}

/** 1 to 9 digits that begin with none of 0. */
function isCount(text: string): bool {
  if (text.length == 0 || text.length > 9 || text.charCodeAt(0) == 0x30) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x30 || unit > 0x39) return false;
  }
  return true;
}

function greatestCommonDivisor(a: u64, b: u64): u64 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}
