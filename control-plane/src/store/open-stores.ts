// Chooses the store engine by the settings, and opens it.
import type { Timers } from "../app/ports/log-ports.js";
import type { Random } from "../app/ports/ports.js";
import type { Stores } from "../app/ports/stores.js";
import { openLmdb } from "./lmdb/open-lmdb.js";

export interface StoreSettings {
  /** Where LMDB keeps its file, the one engine there is. */
  readonly dataDir: string;
}

/** Rejects where the store cannot be opened, and leaves nothing open then. Closing gives back all that was taken. */
export function openStores({ dataDir }: StoreSettings, random: Random, timers: Timers): Promise<Stores> {
  return openLmdb(dataDir, random, timers);
}
