// How long a caller may wait until edges have confirmed a revocation, and the form in which that is said.
import { DURATION_PATTERN, durationMs } from "./duration.js";

/** Longer than an edge needs that has lost its connection and comes back; shorter than what proxies hold a call for. */
const MAX_WAIT_MS = 20_000;
/** What is expected, for people. */
export const WAIT_FORM = "a duration such as 500ms or 2s, or a whole number of milliseconds, up to 20s";

const WHOLE_MS = "[0-9]{1,5}";
/** Its form, for every language's patterns: whether it is empty or too long, only `readWait` says. */
export const WAIT_PATTERN = `^(${WHOLE_MS}|${DURATION_PATTERN})$`;
const IN_MS = new RegExp(`^${WHOLE_MS}$`);

/** In ms; undefined for what is no such duration, or too long. */
export function readWait(text: string): number | undefined {
  const ms = IN_MS.test(text) ? Number(text) : durationMs(text);
  return ms !== undefined && ms <= MAX_WAIT_MS ? ms : undefined;
}
