// The installation's keys, from where the control plane has its secrets too: a variable, or a file that one names.
import { deriveKeys, readSecret } from "../../domain/keys.js";
import type { Keys } from "../../domain/keys.js";
import { given } from "../../settings/environment.js";
import type { Invocation } from "../command.js";
import { done, failed, usageFailure } from "../failure.js";
import type { Outcome } from "../failure.js";
import { readOr } from "./document-source.js";

export interface NamedKeys {
  /** Where the secret stands. */
  readonly from: string;
  readonly keys: Keys;
}

const VARIABLES = ["SLUICE_SECRET", "SLUICE_SECRET_ALSO"];
const MAX_SECRET_FILE_BYTES = 65_536;

/** Those of the file alone where one is given; none where no secret is. Nothing that stands in a secret is repeated. */
export async function readKeys(file: string | undefined, invocation: Invocation): Promise<Outcome<NamedKeys[]>> {
  if (file !== undefined) {
    const keys = await keysIn("--secret-file", file, invocation);
    return keys.ok ? done([keys.value]) : keys;
  }
  const found: NamedKeys[] = [];
  for (const variable of VARIABLES) {
    const [text, path] = [given(invocation.env, variable), given(invocation.env, `${variable}_FILE`)];
    if (text !== undefined && path !== undefined) {
      return failed(usageFailure(`${variable} and ${variable}_FILE are both set: set one of them`));
    }
    const keys = path === undefined ? keysOf(variable, text) : await keysIn(`${variable}_FILE`, path, invocation);
    if (keys?.ok === false) return keys;
    if (keys !== undefined) found.push(keys.value);
  }
  return done(found);
}

async function keysIn(from: string, path: string, { io }: Invocation): Promise<Outcome<NamedKeys>> {
  const read = await readOr(`${from}: ${path}`, () => io.readFile(path, MAX_SECRET_FILE_BYTES));
  return read.ok ? keysFrom(from, read.value.toString("utf8")) : read;
}

const keysOf = (from: string, text: string | undefined): Outcome<NamedKeys> | undefined =>
  text === undefined ? undefined : keysFrom(from, text);

function keysFrom(from: string, text: string): Outcome<NamedKeys> {
  const reading = readSecret(text);
  if (reading.ok) return done({ from, keys: deriveKeys(reading.secret) });
  return failed(usageFailure(`${from} ${reading.violation}: expected at least 32 random bytes, in hex or base64`));
}
