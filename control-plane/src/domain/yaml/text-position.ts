// Offsets in a text as people read them: by line and column.
import { countAtMost } from "../ascending.js";

/** Both from 1. The column counts UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

const LINE_END = /\r\n|\n|\r/g;

/**
 * The position of an offset in UTF-16 units; of one outside the text, that of its nearer end. Counted here and not by the
 * YAML parser, which counts some lines twice.
 */
export function positionsIn(text: string): (offset: number) => Position {
  const starts = [0, ...Array.from(text.matchAll(LINE_END), ({ index, 0: end }) => index + end.length)];
  return (offset) => {
    const atMost = Math.min(Math.max(offset, 0), text.length);
    const within = text.slice(atMost - 1, atMost + 1) === "\r\n" ? atMost - 1 : atMost;
    // A line's start is always found: the first is 0.
    const line = countAtMost(starts, within) - 1;
    return { line: line + 1, column: within - (starts[line] ?? 0) + 1 };
  };
}
