// Opens the store that the settings name, by its engine.
import type { Timers } from "../app/ports/log-ports.js";
import type { Random } from "../app/ports/ports.js";
import type { Stores } from "../app/ports/stores.js";
import { UnfitFile } from "../files/regular-file.js";
import { openLmdb } from "./lmdb/open-lmdb.js";
import type { StoreAddress } from "./store-address.js";

/** Rejects where the store cannot be opened, and leaves nothing open then. Closing gives back all that was taken. */
export function openStores(address: StoreAddress, random: Random, timers: Timers): Promise<Stores> {
  if (address.engine === "lmdb") return openLmdb(address.dataDir, random, timers);
  return Promise.reject(new UnfitFile("a store of Redis or Valkey is not built yet"));
}
