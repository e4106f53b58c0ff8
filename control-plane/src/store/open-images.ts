// Opens stores for a copy from one into another, by their engines.
import type { Random } from "../app/ports/ports.js";
import { UnfitFile } from "../files/regular-file.js";
import type { CopySource, CopyTarget } from "./copy/store-image.js";
import type { Timers } from "../app/ports/log-ports.js";
import { openLmdbSource, openLmdbTarget } from "./lmdb/image.js";
import { createRedisStore } from "./redis/create-store.js";
import { openRedisSource, openRedisTarget } from "./redis/image/image.js";
import type { StoreAddress } from "./store-address.js";

export interface ImageOptions {
  readonly random: Random;
  readonly timers: Timers;
}

export interface SourceOptions extends ImageOptions {
  /** The operator's word that every control plane of the source is stopped, where the store itself says otherwise. */
  readonly isStopped: boolean;
}

/** Rejects where there is no store, or a control plane has it. */
export function openCopySource(address: StoreAddress, { isStopped, ...parts }: SourceOptions): Promise<CopySource> {
  if (address.engine === "lmdb") return openLmdbSource(address.dataDir, parts.random);
  return openRedisSource({ address, ...parts }, isStopped);
}

/** Rejects where a control plane has it. What is there already, its `state` says. */
export function openCopyTarget(address: StoreAddress, parts: ImageOptions): Promise<CopyTarget> {
  if (address.engine === "lmdb") return openLmdbTarget(address.dataDir, parts.random);
  return openRedisTarget({ address, ...parts });
}

/** Makes an empty Redis a store, which control planes take. False where it is one. Rejects where a copy is under way into it. */
export async function initStore(address: StoreAddress, { random, timers }: ImageOptions): Promise<boolean> {
  if (address.engine === "lmdb") {
    throw new UnfitFile("a store in a folder needs none of this: a control plane makes it at its start");
  }
  const made = await createRedisStore(address, random, timers);
  if (made === "copying") throw new UnfitFile("a copy into it was begun: finish that, or empty it");
  return made === "made";
}
