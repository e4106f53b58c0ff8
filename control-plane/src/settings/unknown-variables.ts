// SLUICE_ variables that no program reads: misspelt ones, which would otherwise leave a default in force unnoticed.
import { isServiceLink } from "./environment.js";
import type { Environment } from "./environment.js";
import { isReplaced } from "./replaced-settings.js";
import { fileVariable, SECRET_VARIABLES, VARIABLES } from "./variables.js";
import type { Variable } from "./variables.js";

const PREFIX = "SLUICE_";
/** Of this project's own tests. */
const OF_TESTS = /^SLUICE_(TEST|LIFE)_/;
/** Where no name is near. */
const WHERE_LISTED = `README.md, "Configuration", lists all`;
/** One edit in so many characters is taken for a slip. */
const CHARS_PER_EDIT = 4;
const MAX_SUGGESTIONS = 4;
/** Of more names than that: the list begins with what most installations set. */
const FIRST_SUGGESTIONS = 2;

/** A sentence for each, in the order of their names. Values are not repeated: one may be a secret. */
export function unknownVariables(env: Environment): string[] {
  const unknown = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !isExpected(name, env[name]));
  return unknown.sort().map((name) => `${name}: there is no such setting; ${suggestion(name)}`);
}

function isExpected(name: string, value = ""): boolean {
  if (value === "" || VARIABLES.some((known) => known === name)) return true;
  return isServiceLink(name, value) || isReplaced(name) || OF_TESTS.test(name);
}

function suggestion(name: string): string {
  const near = nearest(name);
  if (near.length === 0) return WHERE_LISTED;
  if (near.length <= MAX_SUGGESTIONS) return `did you mean ${near.join(" or ")}?`;
  return `did you mean ${near.slice(0, FIRST_SUGGESTIONS).join(" or ")}? ${WHERE_LISTED}`;
}

/** By spelling; where that finds none, by words: SLUICE_TOKEN, SLUICE_TOKEN_FILE, SLUICE_POLICY_FILE. */
function nearest(name: string): readonly string[] {
  const own = name.slice(PREFIX.length);
  const found = VARIABLES.map((known) => ({ known, edits: editsBetween(own, known.slice(PREFIX.length)) }));
  const least = Math.min(...found.map(({ edits }) => edits));
  if (least <= Math.max(1, own.length / CHARS_PER_EDIT)) {
    return found.filter(({ edits }) => edits === least).map(({ known }) => known);
  }
  const namesFile = own.endsWith("_FILE");
  return VARIABLES.filter((known) => namesFile || !isFileForm(known)).filter((known) =>
    haveSameWords(own.split("_"), known.slice(PREFIX.length).split("_")),
  );
}

const FILE_FORMS: readonly Variable[] = SECRET_VARIABLES.map(fileVariable);
/** Named with the variable itself already. */
const isFileForm = (name: Variable): boolean => FILE_FORMS.includes(name);

const haveSameWords = (one: readonly string[], other: readonly string[]): boolean =>
  one.every((word) => other.includes(word)) || other.every((word) => one.includes(word));

/** Inserted, left out, replaced or swapped characters (the optimal string alignment distance). */
function editsBetween(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const edits = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1));
      next.push(isSwapped ? Math.min(edits, (before[j - 2] ?? 0) + 1) : edits);
    }
    [before, row] = [row, next];
  }
  return row[other.length] ?? 0;
}
