// Opens the store in a folder for this process alone: LMDB in one process reads late what another one wrote.
import type { Random } from "../../app/ports/ports.js";
import { lockFolder } from "./folder-lock.js";
import { LmdbStore } from "./store.js";

/** Closing the store lets others have the folder. */
export async function openLmdb(folder: string, random: Random): Promise<LmdbStore> {
  const lock = lockFolder(folder);
  try {
    return await LmdbStore.open(folder, random, () => {
      lock.release();
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}
