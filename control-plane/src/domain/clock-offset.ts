// How far one clock is from another, in words.

/** The largest unit of which there are at least two, so that rounding hides little. */
const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ["days", 86_400],
  ["hours", 3_600],
  ["minutes", 60],
];

/** `12 minutes behind` of -720,000 ms; `2 hours ahead of`. */
export function offsetWords(offsetMs: number): string {
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  const [name, each] = UNITS.find(([, unit]) => seconds >= 2 * unit) ?? ["seconds", 1];
  return `${Math.round(seconds / each)} ${name} ${offsetMs < 0 ? "behind" : "ahead of"}`;
}

/** `-720 s`, `+75 s`. */
export const signedSeconds = (offsetMs: number): string => {
  const seconds = Math.round(offsetMs / 1000);
  return `${seconds > 0 ? "+" : ""}${seconds} s`;
};
