// Whether the store's file is still the one at its path: what is written into one that was deleted is lost with the process.
import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { BigIntStats } from "node:fs";

import { openedForWriting, whyForGood } from "../../files/own-folder.js";
import { requireRegular, UnfitFile } from "../../files/regular-file.js";

/** Whether there is one. Throws where no regular file stands there: LMDB would wait for the other end of a pipe. */
export function isStoreAt(path: string): boolean {
  const found = lookedAt(path);
  if (found === undefined) return false;
  requireRegular(found, path);
  return true;
}

function lookedAt(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const reason = whyForGood(error);
    throw reason === undefined ? error : new UnfitFile(`${path} cannot be looked at: ${reason}`);
  }
}

/** In LMDB's first page, after a header whose size differs. */
const MARK = Buffer.from([0xde, 0xc0, 0xef, 0xbe]);
const MARK_SEARCHED_BYTES = 64;

/** Whether LMDB wrote what is there: given anything else, it ends the process. Nothing yet is as good. */
export function isStoreOfLmdb(path: string): boolean {
  const start = Buffer.alloc(MARK_SEARCHED_BYTES);
  const fd = openSync(path, "r");
  try {
    const length = readSync(fd, start, 0, start.length, 0);
    return length === 0 || start.includes(MARK);
  } finally {
    closeSync(fd);
  }
}

/** @throws UnfitFile where LMDB would end the process over the store there, or over its table of readers */
export function requireStoreOfLmdb(path: string): void {
  if (!isStoreAt(path)) return;
  if (isStoreAt(`${path}-lock`)) closeSync(openedForWriting(`${path}-lock`));
  if (isStoreOfLmdb(path)) return;
  throw new UnfitFile(`${path} is no store: it is damaged, or another program's; move it away, and restore a backup`);
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
