// The installation's keys, from where the control plane has its secrets too: a variable, or a file that one names.
import { deriveKeys, readSecret } from "../../domain/keys.js";
import type { Keys } from "../../domain/keys.js";
import { given } from "../../settings/environment.js";
import { readSecretFiles } from "../../settings/secret-files.js";
import { MAX_SECRET_FILE_BYTES } from "../../settings/secret-text.js";
import { unknownVariables } from "../../settings/unknown-variables.js";
import type { Invocation } from "../command.js";
import { done, failed, usageFailure } from "../failure.js";
import type { Outcome } from "../failure.js";
import { shownPath } from "../terminal/shown-words.js";
import { readOr } from "./document-source.js";

export interface NamedKeys {
  /** Where the secret stands. */
  readonly from: string;
  readonly keys: Keys;
}

const VARIABLES = ["SLUICE_SECRET", "SLUICE_SECRET_ALSO"] as const;

/** Those of the file alone where one is given; none where no secret is. Nothing that stands in a secret is repeated. */
export async function readKeys(file: string | undefined, { env, io }: Invocation): Promise<Outcome<NamedKeys[]>> {
  if (file !== undefined) {
    const read = await readOr(`--secret-file: ${shownPath(file)}`, () => io.readSecret(file, MAX_SECRET_FILE_BYTES));
    return read.ok ? keysFrom([["--secret-file", read.value.toString("utf8")]]) : read;
  }
  const [unknown] = unknownVariables(env);
  if (unknown !== undefined) return failed(usageFailure(unknown));
  const secrets = await readSecretFiles(env, (path, maxBytes) => io.readSecret(path, maxBytes), VARIABLES);
  const [violation] = secrets.violations;
  if (violation !== undefined) return failed(usageFailure(violation));
  return keysFrom(
    VARIABLES.flatMap((variable) => {
      const text = given(secrets.env, variable);
      return text === undefined ? [] : [[secrets.files.get(variable)?.variable ?? variable, text]];
    }),
  );
}

function keysFrom(secrets: readonly (readonly [from: string, text: string])[]): Outcome<NamedKeys[]> {
  const found: NamedKeys[] = [];
  for (const [from, text] of secrets) {
    const reading = readSecret(text);
    if (!reading.ok) {
      const expected = "expected at least 32 random bytes, in hex or base64";
      return failed(usageFailure(`${from} ${reading.violation}: ${expected}`));
    }
    found.push({ from, keys: deriveKeys(reading.secret) });
  }
  return done(found);
}
