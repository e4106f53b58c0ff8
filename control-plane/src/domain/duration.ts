// A duration in words: `30s`, `1h30m`. assembly/domain/policy/durations.ts reads the same; a list of texts holds both to it.

/** With its units each once, the largest first; for every language's patterns. It also takes the empty text. */
export const DURATION_PATTERN = "([0-9]{1,12}d)?([0-9]{1,12}h)?([0-9]{1,12}m)?([0-9]{1,12}s)?([0-9]{1,12}ms)?";

const FORM = new RegExp(`^${DURATION_PATTERN}$`);
/** In the order in which a duration has them. */
export const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const FACTORS: readonly number[] = Object.values(UNIT_MS);

/** In ms; undefined for what is no duration, or beyond what a number holds exactly. */
export function durationMs(text: string): number | undefined {
  const [whole = "", ...parts] = FORM.exec(text) ?? [];
  if (whole === "") return undefined;
  const ms = parts.reduce((sum, part: string | undefined, i) => sum + parseInt(part ?? "0", 10) * (FACTORS[i] ?? 0), 0);
  return Number.isSafeInteger(ms) ? ms : undefined;
}
