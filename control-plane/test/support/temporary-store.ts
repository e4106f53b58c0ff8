// A store in a folder that goes with the test.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

import { LmdbStore } from "../../src/store/lmdb/store.js";

export async function temporaryStore(): Promise<LmdbStore> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-store-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const store = await LmdbStore.open(folder, { bytes: (n) => randomBytes(n) });
  onTestFinished(() => store.close());
  return store;
}
