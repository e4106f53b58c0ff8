// How many columns of a terminal a text takes: letters of East Asian scripts and emoji take two, marks none.
import { eastAsianWidth } from "get-east-asian-width";

const MARK = /[\p{Mn}\p{Me}]/u;
const AS_EMOJI = "\ufe0f";
const PRINTABLE_ASCII = /^[ -~]*$/;
/** What a reader takes for one character: a letter with its marks, a flag, an emoji with its colour. */
const characters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export const columnsOf = (text: string): number =>
  PRINTABLE_ASCII.test(text) ? text.length : charactersOf(text).reduce((sum, one) => sum + widthOf(one), 0);

/** As many of its characters as so many columns hold. */
export function fitting(text: string, room: number): string {
  if (PRINTABLE_ASCII.test(text)) return text.slice(0, room);
  let left = room;
  const all = charactersOf(text);
  const end = all.findIndex((one) => (left -= widthOf(one)) < 0);
  return end === -1 ? text : all.slice(0, end).join("");
}

const charactersOf = (text: string): string[] => Array.from(characters.segment(text), ({ segment }) => segment);

function widthOf(character: string): number {
  if (character.includes(AS_EMOJI)) return 2;
  const parts = Array.from(character).filter((one) => !MARK.test(one));
  return Math.min(
    2,
    parts.reduce((sum, one) => sum + eastAsianWidth(one.codePointAt(0) ?? 0), 0),
  );
}
