// Secrets that stand in files: each file is read once, at the start, and its content takes the variable's place.
import { whyUnreadable } from "../files/file-reader.js";
import { UnfitFile } from "../files/regular-file.js";
import { given } from "./environment.js";
import type { Environment } from "./environment.js";
import { isLikeSecret, MAX_SECRET_FILE_BYTES } from "./secret-text.js";
import { SECRET_VARIABLES, fileVariable } from "./variables.js";
import type { SecretVariable } from "./variables.js";

const utf8 = new TextDecoder("utf-8", { fatal: true });

export interface SecretFile {
  /** SLUICE_…_FILE, or an option. */
  readonly variable: string;
  readonly path: string;
}

export interface ReadSecrets {
  /** Each secret in its own variable, wherever it stood; none of the variables that name files. */
  readonly env: Environment;
  /** What was read, by the secret's variable. */
  readonly files: ReadonlyMap<string, SecretFile>;
  /** Each names a variable and a file, and nothing that stands in it. */
  readonly violations: readonly string[];
}

type ReadFile = (path: string, maxBytes: number) => Promise<Uint8Array>;

/** Never rejects. */
export async function readSecretFiles(
  env: Environment,
  readFile: ReadFile,
  secrets: readonly SecretVariable[] = SECRET_VARIABLES,
): Promise<ReadSecrets> {
  const violations: string[] = [];
  const files = new Map<string, SecretFile>();
  const read: Record<string, string | undefined> = { ...env };
  for (const name of secrets) {
    const variable = fileVariable(name);
    const path = given(env, variable);
    read[variable] = undefined;
    if (path === undefined) continue;
    files.set(name, { variable, path });
    if (given(env, name) !== undefined) violations.push(`${name} and ${variable} are both set: set one of them`);
    else {
      const reading = await readSecretFile({ variable, path }, readFile);
      if (reading.ok) read[name] = reading.text;
      else violations.push(reading.violation);
    }
  }
  return { env: read, files, violations };
}

/** A violation names variable and file, and nothing that stands in it. */
export type SecretReading =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly violation: string };

/** Never rejects. */
export async function readSecretFile({ variable, path }: SecretFile, readFile: ReadFile): Promise<SecretReading> {
  try {
    return { ok: true, text: textOf(await readFile(path, MAX_SECRET_FILE_BYTES)) };
  } catch (error) {
    return { ok: false, violation: `${variable}: ${shownPath(path)} cannot be used: ${whyUnreadable(error)}` };
  }
}

/** Who sets the variable to the secret itself, or to the URL that holds it, must not find it in a log. */
function shownPath(path: string): string {
  if (path.includes("://")) return `${NOT_SHOWN} (expected a path, got a URL)`;
  if (path.includes("@")) return `${NOT_SHOWN} (its name is not shown, for it may hold a password)`;
  return path.includes("/") && !isLikeSecret(path) ? path : `${NOT_SHOWN} (expected a path with /)`;
}

const NOT_SHOWN = "the file that it names";

/** As an editor or `echo` leaves it: with one end of line. @throws UnfitFile */
function textOf(content: Uint8Array): string {
  const text = decoded(content).replace(/\r?\n$/, "");
  if (text.trim() === "") throw new UnfitFile("it is empty");
  return text;
}

function decoded(content: Uint8Array): string {
  try {
    const text = utf8.decode(content);
    if (!text.includes("\0")) return text;
  } catch {
    // The same is wrong.
  }
  throw new UnfitFile("expected text, got bytes that are none");
}
