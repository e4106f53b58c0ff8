// A store in a folder that goes with the test.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

import { LmdbStore } from "../../src/store/lmdb/store.js";
import { withVerbs } from "./store-verbs.js";
import type { WithVerbs } from "./store-verbs.js";

/** With what tests do to it. */
export type StoreOfTests = WithVerbs<LmdbStore>;

/** As it is when it is opened in a folder that a test has. */
export async function openStore(folder: string): Promise<StoreOfTests> {
  return withVerbs(await LmdbStore.open(folder, { bytes: (n) => randomBytes(n) }));
}

export async function temporaryStore(): Promise<StoreOfTests> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-store-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const store = await openStore(folder);
  onTestFinished(() => store.close());
  return store;
}
