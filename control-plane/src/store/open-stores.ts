// Opens the store that the settings name, by its engine.
import type { Timers } from "../app/ports/log-ports.js";
import type { Logger, Random } from "../app/ports/ports.js";
import type { Stores } from "../app/ports/stores.js";
import { openLmdb } from "./lmdb/open-lmdb.js";
import { RedisStore } from "./redis/store.js";
import type { RedisMeter } from "./redis/store.js";
import type { StoreAddress } from "./store-address.js";
import type { UpdatesAround } from "./timed-updates.js";

export interface OpenParts {
  readonly random: Random;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly meter: RedisMeter;
  /** Why a store over the network cannot be used yet: it is waited for. */
  readonly waits: (why: string) => void;
  readonly around: UpdatesAround;
}

/** Rejects where the store cannot be opened, and leaves nothing open then. Closing gives back all that was taken. */
export function openStores(address: StoreAddress, parts: OpenParts): Promise<Stores> {
  if (address.engine === "lmdb") return openLmdb(address.dataDir, parts.random, parts.timers, parts.around);
  return RedisStore.open({ address, ...parts });
}
