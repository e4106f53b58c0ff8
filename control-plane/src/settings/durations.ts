// Durations as operators write them. Without a unit they are ms, so a small number was meant in another unit.
import { durationMs, UNIT_MS } from "../domain/duration.js";

const UNITLESS = /^\d{1,15}$/;
/** The smallest first. */
const UNITS = ["ms", "s", "m", "h", "d"] as const;
const TIMES = "a time such as 90s, 15m, 12h or 30d (without a unit: ms)";
/** Without a unit, less may be seconds: 86400 are a day of them, and 86 s of ms. */
const MIN_UNITLESS_MS = UNIT_MS.d;
/** Nobody means to keep anything longer. */
const MEANT_MAX_MS = 3650 * UNIT_MS.d;

type Duration = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly violation: string };

/** A violation is to be said after the name of the variable. */
export function durationAtLeast(text: string, minMs: number): Duration {
  const isUnitless = UNITLESS.test(text);
  const ms = isUnitless ? Number(text) : (durationMs(text) ?? 0);
  if (ms < 1 || !Number.isSafeInteger(ms)) return { ok: false, violation: `expected ${TIMES}, got "${text}"` };
  if (ms >= (isUnitless ? Math.max(minMs, MIN_UNITLESS_MS) : minMs)) return { ok: true, ms };
  if (ms >= minMs) {
    const hint = `did you mean ${text}s or ${text}ms?`;
    return { ok: false, violation: `expected a unit, or at least ${MIN_UNITLESS_MS} ms, got "${text}"; ${hint}` };
  }
  const least = `expected at least ${inWords(minMs)}`;
  if (!isUnitless) return { ok: false, violation: `${least}, got "${text}"` };
  const inUnit = (one: keyof typeof UNIT_MS): number => Number(text) * UNIT_MS[one];
  const meant = UNITS.filter((one) => inUnit(one) >= minMs && inUnit(one) <= MEANT_MAX_MS).map((one) => text + one);
  const hint = meant.length === 0 ? "" : `; did you mean ${meant.reverse().join(" or ")}?`;
  return { ok: false, violation: `${least}, got "${text}", which is ${text} ms${hint}` };
}

/** In the largest unit that gives a whole number. */
function inWords(ms: number): string {
  const unit = UNITS.findLast((one) => ms % UNIT_MS[one] === 0) ?? "ms";
  return `${ms / UNIT_MS[unit]}${unit}`;
}
