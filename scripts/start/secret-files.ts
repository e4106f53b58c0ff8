// Secrets that nobody set are made once and kept in the data folder, readable by their owner only.
import { randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whyUnreadable } from "../../control-plane/src/files/file-reader.js";
import { makeFolder } from "../../control-plane/src/files/own-folder.js";
import { UnfitFile } from "../../control-plane/src/files/regular-file.js";
import { MAX_SECRET_FILE_BYTES } from "../../control-plane/src/settings/secret-text.js";
import { Failure } from "../failure.js";
import { operatorFiles } from "../operator-files.js";

/** What an installation secret needs at least; base64 of it is what both programs read. */
const SECRET_BYTES = 32;
const OWNER_ONLY_DIR = 0o700;
const OWNER_ONLY_FILE = 0o600;

/** Creates the data folder, or closes one that others could read. @throws Failure where there is none and can be none */
export function makePrivateFolder(folder: string): void {
  try {
    makeFolder(folder, OWNER_ONLY_DIR);
    chmodSync(folder, OWNER_ONLY_DIR);
  } catch (error) {
    const reason = error instanceof UnfitFile ? error.message : `${folder}: ${whyUnreadable(error)}`;
    throw new Failure(`The data folder (SLUICE_DATA_DIR) cannot be used: ${reason}.`);
  }
}

/**
 * The secret kept as `name` in `folder`; 32 new random bytes in `encoding` where there is none yet. Rejects with a Failure
 * when what is there cannot be read.
 */
export async function keptSecret(folder: string, name: string, encoding: "base64" | "base64url"): Promise<string> {
  const file = join(folder, name);
  try {
    // "wx" fails where the file is: of two that start at once both end up with the same secret.
    writeFileSync(file, `${randomBytes(SECRET_BYTES).toString(encoding)}\n`, { flag: "wx", mode: OWNER_ONLY_FILE });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    chmodSync(file, OWNER_ONLY_FILE);
  }
  const content = await operatorFiles.read(file, MAX_SECRET_FILE_BYTES).catch((error: unknown) => {
    throw new Failure(`${file} cannot be read: ${whyUnreadable(error)}.`);
  });
  return content.toString("utf8").trim();
}
