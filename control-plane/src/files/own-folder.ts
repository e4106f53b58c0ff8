// A program's own folder and the files in it: made and opened, or what stands in the way in a few words.
import { constants, lstatSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

import { codeOf, kindOf, UnfitFile } from "./regular-file.js";

const OWNER_ONLY = 0o600;

/**
 * Nothing is done where it is there already. Links are followed. Node's own recursive mkdir never ends on /proc.
 *
 * @throws UnfitFile where there is no such folder and none can be made
 */
export function makeFolder(path: string, mode: number): void {
  if (isFolder(path)) return;
  makeFolder(dirname(path), mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another process may have made it meanwhile.
    if (codeOf(error) !== "EEXIST" || !isFolder(path)) throw new UnfitFile(`${path} cannot be made: ${whyNot(error)}`);
  }
}

/** False where nothing stands there. @throws UnfitFile where something else does */
function isFolder(path: string): boolean {
  const found = looked(path);
  if (found?.isDirectory() === true) return true;
  if (found !== undefined) throw new UnfitFile(`${path}: expected a folder, got ${kindOf(found)}`);
  requireNoLink(path);
  return false;
}

/** To be asked where nothing is found. @throws UnfitFile where a link stands there, which then leads nowhere */
export function requireNoLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw new UnfitFile(`${path} is a link that leads nowhere`);
  }
}

function looked(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new UnfitFile(`${path} cannot be looked at: ${whyNot(error)}`);
  }
}

/** Open for reading and writing. @throws UnfitFile where this process may not, or it is none to be opened so */
export function openedForWriting(path: string, moreFlags = 0): number {
  try {
    return openSync(path, constants.O_RDWR | moreFlags, OWNER_ONLY);
  } catch (error) {
    if (codeOf(error) === "ENOENT") requireNoLink(path);
    const reason = whyForGood(error);
    throw reason === undefined ? error : new UnfitFile(`${path} cannot be opened for writing: ${reason}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this process's user may not (EACCES)",
  EPERM: "this process's user may not (EPERM)",
  EROFS: "its file system is read-only (EROFS)",
  ENOENT: "its file system takes none there (ENOENT)",
  EISDIR: "a folder stands there (EISDIR)",
  ENXIO: "a socket stands there (ENXIO)",
  ENOTDIR: "what stands above it is no folder (ENOTDIR)",
  ENAMETOOLONG: "its name is too long (ENAMETOOLONG)",
  ELOOP: "its links lead in a circle (ELOOP)",
};

const whyNot = (error: unknown): string => whyForGood(error) ?? String(codeOf(error));

/** Undefined where it may be another time: the disk is full, or too many files are open. */
export const whyForGood = (error: unknown): string | undefined => REASONS[String(codeOf(error))];
