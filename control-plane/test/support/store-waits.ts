// Waiting for what a store finds out by itself: it is looked at as the program does each second.
import { expect, vi } from "vitest";

import type { Stores } from "../../src/app/ports/stores.js";

const LONG_ENOUGH_MS = 15_000;

/** Resolves once it is so. */
export async function until(store: Stores, isSo: () => boolean): Promise<void> {
  await vi.waitFor(
    () => {
      store.health.look();
      expect(isSo()).toBe(true);
    },
    { timeout: LONG_ENOUGH_MS, interval: 20 },
  );
}

export const isWritable = (store: Stores) => () => store.health.unwritable() === undefined;
export const isSaidToBe = (store: Stores, why: RegExp) => () => why.test(store.health.unwritable() ?? "");
