// Opens the store in a folder for this process alone: LMDB in one process reads late what another one wrote.
import type { Timers } from "../../app/ports/log-ports.js";
import type { Random } from "../../app/ports/ports.js";
import { FolderLock } from "./folder-lock.js";
import { LmdbStore } from "./store.js";

/** Closing the store lets others have the folder; where a commit hangs, only the end of its thread does. */
export async function openLmdb(folder: string, random: Random, timers: Timers): Promise<LmdbStore> {
  const lock = await FolderLock.take(folder, "control plane");
  const store = await LmdbStore.open(folder, random, {
    timers,
    closed: () => {
      lock.release();
    },
  }).catch((error: unknown) => {
    lock.release();
    throw error;
  });
  try {
    lock.takeStore();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}
