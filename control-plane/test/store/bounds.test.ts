// Bounds of the store that no test of ordinary size reaches.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

import { openLayout } from "../../src/store/lmdb/layout.js";
import { sessionAt } from "../support/sessions.js";
import { openStore } from "../support/temporary-store.js";
import type { StoreOfTests } from "../support/temporary-store.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const MAX_CREATION_KEYS = 1_000_000;

const issue = (store: StoreOfTests, key: string, atMs: number) => {
  const repeatable = { key, requestHash: "h", keptSinceMs: 0 };
  return store.operator.issue({ session: sessionAt(atMs), limit: null, repeatable, isLive: () => true });
};

it("past a million keys of creations each new one takes the place of the oldest", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bounds-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const before = await openStore(folder);
  for (const [i, key] of ["operator a", "operator b", "operator c"].entries()) await issue(before, key, NOW_MS + i);
  await before.close();
  // As if all the others were there too.
  const layout = openLayout(folder, { bytes: (n) => new Uint8Array(n) });
  await layout.meta.put("creationKeys", MAX_CREATION_KEYS - 1);
  await layout.env.close();

  const store = await openStore(folder);
  onTestFinished(() => store.close());
  await issue(store, "operator d", NOW_MS + 10);
  expect((await issue(store, "operator a", NOW_MS + 20)).outcome).toBe("repeated");
  await issue(store, "operator e", NOW_MS + 30);
  expect((await issue(store, "operator b", NOW_MS + 40)).outcome).toBe("repeated");
  expect((await issue(store, "operator a", NOW_MS + 50)).outcome).toBe("created");
  expect((await issue(store, "operator b", NOW_MS + 60)).outcome).toBe("created");
});
