// A document's bytes as text: in UTF-8, else a violation that says that the encoding is what is wrong.
import { positionsIn, type Position } from "./text-position.js";

export interface TextViolation extends Position {
  readonly message: string;
}

export type SourceText =
  | { readonly text: string; readonly violation?: undefined }
  | { readonly text?: undefined; readonly violation: TextViolation };

/** Byte order marks, the longer ones first: that of UTF-16 begins that of UTF-32. */
const OTHERS: readonly (readonly [encoding: string, mark: readonly number[]])[] = [
  ["UTF-32", [0xff, 0xfe, 0, 0]],
  ["UTF-32", [0, 0, 0xfe, 0xff]],
  ["UTF-16", [0xff, 0xfe]],
  ["UTF-16", [0xfe, 0xff]],
];
const BYTE_ORDER_MARK = "\ufeff";
const SAVE_AS = "save it as UTF-8";

/** A byte order mark of UTF-8 at the start stays: YAML allows it there. */
export function readText(source: string | Uint8Array): SourceText {
  if (typeof source === "string") return readCharacters(source);
  const other = OTHERS.find(([, mark]) => mark.every((byte, at) => source[at] === byte));
  if (other !== undefined) {
    return { violation: { line: 1, column: 1, message: `the encoding is ${other[0]}, expected UTF-8: ${SAVE_AS}` } };
  }
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const text = bytes.toString("utf8");
  return firstDifference(bytes, text) ?? readCharacters(text);
}

/** Decoded and encoded again, what was no UTF-8 is not the same. */
function firstDifference(bytes: Buffer, text: string): SourceText | undefined {
  const again = Buffer.from(text);
  if (again.equals(bytes)) return undefined;
  const at = bytes.findIndex((byte, index) => byte !== again[index]);
  const offset = bytes.subarray(0, at).toString("utf8").length;
  const byte = (bytes[at] ?? 0).toString(16).padStart(2, "0");
  return violationAt(text, offset, `the encoding is not UTF-8 (byte 0x${byte}): ${SAVE_AS}`);
}

function readCharacters(text: string): SourceText {
  const nul = text.indexOf("\0");
  if (nul >= 0) return violationAt(text, nul, `the encoding is UTF-16 or UTF-32 (a NUL character): ${SAVE_AS}`);
  const mark = text.indexOf(BYTE_ORDER_MARK, 1);
  if (mark < 0) return { text };
  const why = "the encoding is mixed up (a byte order mark within the text, as where files were joined)";
  return violationAt(text, mark, `${why}: take it out, and save as UTF-8 without one`);
}

function violationAt(text: string, offset: number, message: string): SourceText {
  return { violation: { ...positionsIn(text)(offset), message } };
}
