// The store's file at its path: whether LMDB can open it, and whether it is still the one that was opened.
import { closeSync, statSync } from "node:fs";
import type { BigIntStats } from "node:fs";

import { openedForWriting, requireNoLink, whyForGood } from "../../files/own-folder.js";
import { requireRegular, UnfitFile } from "../../files/regular-file.js";
import { storeStateOf } from "./store-pages.js";

/** Whether there is one. Throws where no regular file stands there: LMDB would wait for the other end of a pipe. */
export function isStoreAt(path: string): boolean {
  const found = lookedAt(path);
  if (found === undefined) requireNoLink(path);
  else requireRegular(found, path);
  return found !== undefined;
}

function lookedAt(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const reason = whyForGood(error);
    throw reason === undefined ? error : new UnfitFile(`${path} cannot be looked at: ${reason}`);
  }
}

/**
 * LMDB ends the process where it cannot open its table of readers, which it makes where there is none.
 *
 * @throws UnfitFile
 */
export function requireTableOfReaders(store: string): void {
  const path = `${store}-lock`;
  if (isStoreAt(path)) closeSync(openedForWriting(path));
}

/** @throws UnfitFile where LMDB would end the process over the store there, or over its table of readers */
export function requireStoreOfLmdb(path: string): void {
  requireTableOfReaders(path);
  if (!isStoreAt(path)) return;
  const state = storeStateOf(path);
  if (state === "whole") return;
  const damaged =
    state === "cut short" ? "is damaged: it was cut short" : "is no store: it is damaged, or another program's";
  throw new UnfitFile(`${path} ${damaged}; move it away, and restore a backup`);
}

export class StoreFile {
  private readonly opened: BigIntStats;

  /** To be called when the file has just been opened. */
  constructor(private readonly path: string) {
    this.opened = statSync(path, { bigint: true });
  }

  /** What has become of it, for the operator; undefined while it stands where it was opened. */
  lost(): string | undefined {
    try {
      const found = statSync(this.path, { bigint: true });
      if (found.ino === this.opened.ino && found.dev === this.opened.dev) return undefined;
      return `another file stands at ${this.path}: this process still has the one before open`;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return `${this.path} was deleted or moved away under this process`;
      return `${this.path} cannot be looked at: ${String(error)}`;
    }
  }
}
