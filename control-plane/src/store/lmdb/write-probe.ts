// Whether the disk under a folder takes writes: asked of it before LMDB is, which prints each failure on stderr.
import { open, rm, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Random } from "../../app/ports/ports.js";

/** Room for some commits, so that what succeeds does not fail again at once. */
const PROBE_BYTES = 1024 * 1024;

export interface WriteProbe {
  succeeds(): Promise<boolean>;
  /** In words for an operator. */
  room(): Promise<string>;
}

/** @param store path of the store's file */
export function writeProbe(store: string, random: Random): WriteProbe {
  const folder = dirname(store);
  const file = join(folder, "write-probe");
  return {
    succeeds: async () => {
      try {
        // Random: a file system that compresses would find room for anything else.
        await written(file, random.bytes(PROBE_BYTES));
        return true;
      } catch {
        return false;
      } finally {
        await rm(file, { force: true }).catch(() => undefined);
      }
    },
    room: async () => {
      try {
        const { bavail, bsize } = await statfs(folder);
        return `the disk has ${bavail * bsize} bytes free`;
      } catch (error) {
        return `how much is free is not known (${String(error)})`;
      }
    },
  };
}

async function written(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
