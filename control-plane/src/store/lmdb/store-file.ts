// Whether the store's file is still the one at its path: what is written into one that was deleted is lost with the process.
import { statSync } from "node:fs";
import type { BigIntStats } from "node:fs";

import { requireRegular } from "../../files/regular-file.js";

/** Whether there is one. Throws where no regular file stands there: LMDB would wait for the other end of a pipe. */
export function isStoreAt(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  requireRegular(found, path);
  return true;
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
