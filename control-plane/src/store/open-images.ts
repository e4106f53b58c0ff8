// Opens stores for a copy from one into another, by their engines.
import type { Random } from "../app/ports/ports.js";
import { UnfitFile } from "../files/regular-file.js";
import type { CopySource, CopyTarget } from "./copy/store-image.js";
import { openLmdbSource, openLmdbTarget } from "./lmdb/image.js";
import type { StoreAddress } from "./store-address.js";

export interface SourceOptions {
  readonly random: Random;
  /** The operator's word that every control plane of the source is stopped, where the store itself says otherwise. */
  readonly isStopped: boolean;
}

/** Rejects where there is no store, or a control plane has it. */
export function openCopySource(address: StoreAddress, { random }: SourceOptions): Promise<CopySource> {
  if (address.engine === "lmdb") return openLmdbSource(address.dataDir, random);
  return Promise.reject(notYet());
}

/** Rejects where a control plane has it. What is there already, its `state` says. */
export function openCopyTarget(address: StoreAddress, random: Random): Promise<CopyTarget> {
  if (address.engine === "lmdb") return openLmdbTarget(address.dataDir, random);
  return Promise.reject(notYet());
}

/** Makes an empty Redis one that control planes take. Rejects where it is not empty. */
export function initStore(address: StoreAddress): Promise<void> {
  if (address.engine === "lmdb") {
    return Promise.reject(
      new UnfitFile("a store in a folder needs none of this: a control plane makes it at its start"),
    );
  }
  return Promise.reject(notYet());
}

const notYet = (): UnfitFile => new UnfitFile("a store of Redis or Valkey is not built yet");
