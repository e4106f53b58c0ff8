// A document that a command reads on this machine: a file, or the standard input.
import { whyUnreadable } from "../../files/file-reader.js";
import { done, failed, usageFailure } from "../failure.js";
import type { Outcome } from "../failure.js";
import type { Io } from "../terminal/io.js";
import { shownPath } from "../terminal/shown-words.js";

export interface Source {
  /** As messages name it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export async function readSource(file: string, maxBytes: number, io: Io): Promise<Outcome<Source>> {
  const name = file === "-" ? "<stdin>" : file;
  const read = await readOr(shownPath(name), () =>
    file === "-" ? io.readInput(maxBytes) : io.readFile(file, maxBytes),
  );
  return read.ok ? done({ name, bytes: read.value }) : read;
}

/** What a reading resolves with, or a failure that names what cannot be read, and why. */
export async function readOr<Content>(name: string, read: () => Promise<Content>): Promise<Outcome<Content>> {
  try {
    return done(await read());
  } catch (error) {
    return failed(usageFailure(`${name} cannot be read: ${whyUnreadable(error)}`));
  }
}
