// Waiting for what a store finds out by itself: it is looked at as the program does each second.
import { expect } from "vitest";

import type { Stores } from "../../src/app/ports/stores.js";
import { until } from "./until.js";

/** Resolves once it is so. */
export async function untilStore(store: Stores, isSo: () => boolean): Promise<void> {
  await until(() => {
    store.health.look();
    expect(isSo()).toBe(true);
  });
}

export const isWritable = (store: Stores) => () => store.health.unwritable() === undefined;
export const isSaidToBe = (store: Stores, why: RegExp) => () => why.test(store.health.unwritable() ?? "");
