// Text of others, made harmless: what a server or a file says must not drive the terminal that shows it.

/** Control and format characters (bidirectional overrides among them), half characters, line separators. */
const DRIVING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text on one line, with such characters as `\u{1b}`. */
export function visible(text: string): string {
  return text.replace(DRIVING, (one) => `\\u{${one.codePointAt(0)?.toString(16) ?? ""}}`);
}

/** One line of JSON of the same value, with such characters as JSON's own escapes. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(DRIVING, (one) =>
    Array.from({ length: one.length }, (_, i) => `\\u${one.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  );
}
