// Text for people in so many columns: broken between words, and never within one.
import { columnsOf } from "./columns.js";

/** @param width Infinity: one line */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  // Two spaces and more stand between a command and what it does: they stay.
  for (const [word = ""] of text.matchAll(/\s*\S+/g)) {
    if (line !== "" && columnsOf(line) + columnsOf(word) > width) {
      lines.push(line);
      line = word.trimStart();
    } else line += word;
  }
  return [...lines, line];
}

/** Lines that were broken for another width, joined into paragraphs: a sentence that goes on does not begin a new one. */
export function paragraphs(lines: readonly string[]): string[] {
  const joined: string[] = [];
  for (const line of lines) {
    const last = joined.at(-1);
    if (last === undefined || last === "" || line === "" || /[.:?!]$/.test(last)) joined.push(line);
    else joined[joined.length - 1] = `${last} ${line}`;
  }
  return joined;
}

const INDENT = 2;
const GAP = 2;
/** A left column that takes more than this part of the line has what it says below it. */
const WIDEST_LEFT = 0.5;

/** Two columns, the right one wrapped beside the left one, or below it. */
export function twoColumns(rows: readonly (readonly [string, string])[], width: number): string[] {
  const fits = rows.map(([left]) => left.length).filter((length) => length <= width * WIDEST_LEFT);
  const leftWidth = Math.max(0, ...fits);
  const start = INDENT + leftWidth + GAP;
  return rows.flatMap(([left, right]) => {
    const [first = "", ...rest] = wrapped(right, width - start);
    const isBeside = left.length <= leftWidth;
    const head = `  ${left.padEnd(leftWidth)}  `;
    const below = (isBeside ? rest : [first, ...rest]).map((line) => `${" ".repeat(start)}${line}`);
    return [isBeside ? `${head}${first}`.trimEnd() : `  ${left}`, ...below];
  });
}
