// What a message may repeat of a command line: somebody may have put a secret in the wrong place, and logs keep messages.
import { isLikeSecret } from "../../settings/secret-text.js";

const LIKE_COMMAND = /^[a-z][a-z-]{0,19}$/;
const LIKE_OPTION = /^--?[a-z][a-z-]{0,29}$/i;
const NOT_SHOWN = "(not repeated: it may be a secret)";

/** The words up to the first one that cannot be a command's. */
export function shownWords(words: readonly string[]): string {
  const end = words.findIndex((word) => !LIKE_COMMAND.test(word));
  return (end === -1 ? words : [...words.slice(0, end), NOT_SHOWN]).join(" ");
}

export const shownOption = (option: string): string => (LIKE_OPTION.test(option) ? option : NOT_SHOWN);

/** Of a file that somebody named. */
export const shownPath = (path: string): string => (isLikeSecret(path) ? NOT_SHOWN : path);
