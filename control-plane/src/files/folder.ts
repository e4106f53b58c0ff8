// Makes a folder with those above it, or says what stands in its way. Node's own recursive mkdir never ends on /proc.
import { lstatSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

import { codeOf, kindOf, UnfitFile } from "./regular-file.js";

/**
 * Nothing is done where it is there already. Links are followed.
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
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
  throw new UnfitFile(`${path} is a link that leads nowhere`);
}

function looked(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new UnfitFile(`${path} cannot be looked at: ${whyNot(error)}`);
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
