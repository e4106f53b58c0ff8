// Opens the store in a folder for this process alone: LMDB in one process reads late what another one wrote.
import { join } from "node:path";

import type { Timers } from "../../app/ports/log-ports.js";
import type { Random } from "../../app/ports/ports.js";
import type { UpdatesAround } from "../timed-updates.js";
import { FolderLock } from "./folder-lock.js";
import { STORE_FILE } from "./layout.js";
import { requireStoreOfLmdb } from "./store-file.js";
import { LmdbStore } from "./store.js";
import type { Closing } from "./store.js";

/** Closing the store lets others have the folder; where a commit hangs, only the end of its thread does. */
export async function openLmdb(
  folder: string,
  random: Random,
  timers: Timers,
  around?: UpdatesAround,
): Promise<LmdbStore> {
  const lock = await FolderLock.take(folder, "control plane");
  const release = (): void => {
    lock.release();
  };
  const store = await opened(folder, random, { timers, closed: release }, around).catch((error: unknown) => {
    release();
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

async function opened(
  folder: string,
  random: Random,
  closing: Closing,
  around: UpdatesAround | undefined,
): Promise<LmdbStore> {
  requireStoreOfLmdb(join(folder, STORE_FILE));
  return LmdbStore.open(folder, random, closing, around);
}
