// Writes a file that only its owner may read: whole or not at all.
import { randomBytes } from "node:crypto";
import { link, open, rename, rm, stat } from "node:fs/promises";

import { codeOf, requireRegular } from "./regular-file.js";

const OWNER_ONLY = 0o600;

/**
 * What stands there, a link too, is replaced only if it may be and is a file; the file that a link names never is.
 * Rejects with UnfitFile where it is none, such as a device or a pipe; else with the system's error; EEXIST: something
 * stands there.
 */
export async function writePrivateFile(path: string, text: string, mayReplace: boolean): Promise<void> {
  if (mayReplace) await requireReplaceable(path);
  // Beside its place, so that nobody ever reads half of it.
  const partial = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(partial, "wx", OWNER_ONLY);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link, unlike a rename, fails where something stands.
    await (mayReplace ? rename(partial, path) : link(partial, path));
  } finally {
    await rm(partial, { force: true });
  }
}

/** Nothing, a link that leads nowhere too, or a regular file. */
async function requireReplaceable(path: string): Promise<void> {
  try {
    requireRegular(await stat(path));
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}
