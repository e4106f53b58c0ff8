// Whether the store can be written: what a write is answered with where it cannot, and how it is found out that it can again.

/** The store does not take this write, nor any other for now. It may not be acknowledged. */
export class StoreUnwritable extends Error {
  override readonly name = "StoreUnwritable";
}

export interface StoreHealth {
  /** Why nothing can be written now, for the operator; undefined while it can. Reads go on in any case. */
  unwritable(): string | undefined;
  /**
   * To be called each second, and never waits for the disk: it finds out what only time shows, and where a write has failed,
   * whether one succeeds again. "over": in this process none ever will, but in a new one it would.
   */
  look(): "on" | "over";
  /** A thread is at the disk, or will never return from it: an exit in order would wait for it. */
  isAtDisk(): boolean;
}

/** Of a store that is only in memory. */
export const ALWAYS_WRITABLE: StoreHealth = { unwritable: () => undefined, look: () => "on", isAtDisk: () => false };
