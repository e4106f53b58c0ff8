// How long a caller may wait until edges have confirmed a revocation, and the form in which that is said.

/** Longer than an edge needs that has lost its connection and comes back; shorter than what proxies hold a call for. */
const MAX_WAIT_MS = 20_000;
/** What is expected, for people. */
export const WAIT_FORM = "a duration such as 500ms or 2s, or a whole number of milliseconds, up to 20s";

/** Its form, for every language's patterns: whether it is too long, only `readWait` says. */
export const WAIT_PATTERN = "^([0-9]{1,5})(ms|s)?$";
const FORM = new RegExp(WAIT_PATTERN);

/** In ms; undefined for what is no such duration, or too long. */
export function readWait(text: string): number | undefined {
  const [, digits, unit] = FORM.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const ms = Number(digits) * (unit === "s" ? 1000 : 1);
  return ms <= MAX_WAIT_MS ? ms : undefined;
}
