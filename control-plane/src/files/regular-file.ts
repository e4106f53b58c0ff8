// Opens what has to be a regular file: a pipe would hold up whoever opens it, a device has no end.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

/** What is there cannot be used, and will not change by itself. The message says what was expected. */
export class UnfitFile extends Error {
  override readonly name = "UnfitFile";
}

export interface Kind {
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** Without O_NONBLOCK a pipe that nobody writes to hangs where it is opened. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Waits for nobody, whatever stands there. Links are followed. Rejects with UnfitFile where it is a socket. */
export async function openedAtOnce<Opened>(
  openWith: (path: string, flags: number) => Promise<Opened>,
  path: string,
): Promise<Opened> {
  try {
    return await openWith(path, FLAGS);
  } catch (error) {
    if (codeOf(error) === "ENXIO") throw new UnfitFile("expected a regular file, got a socket");
    throw error;
  }
}

/** @throws UnfitFile whose message names the path, where one is given */
export function requireRegular(kind: Kind, path?: string): void {
  if (kind.isFile()) return;
  const expected = `expected a regular file, got ${kindOf(kind)}`;
  throw new UnfitFile(path === undefined ? expected : `${path}: ${expected}`);
}

/** To be read. What it is, is asked of the open file: a look by name before could be outrun by a rename. */
export async function openRegular(path: string): Promise<FileHandle> {
  const file = await openedAtOnce(open, path);
  try {
    requireRegular(await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

export const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);

export function kindOf(kind: Kind): string {
  if (kind.isFile()) return "a file";
  if (kind.isDirectory()) return "a folder";
  if (kind.isFIFO()) return "a pipe";
  return kind.isSocket() ? "a socket" : "a device";
}
