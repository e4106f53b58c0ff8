// A restore on a disk without room for it: nothing of it stays, and the store that was there serves on.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

import { backUpStore, restoreStore } from "../../src/store/lmdb/backup.js";
import { temporaryFolder } from "../support/process.js";
import { sessionAt } from "../support/sessions.js";
import { needsDisk, smallDisk } from "../support/small-disk.js";
import { openStore } from "../support/temporary-store.js";

const LEFT_BYTES = 300_000;
const NOW_MS = Date.UTC(2026, 0, 1);
const random = { bytes: (n: number) => new Uint8Array(n).fill(7) };

it("a restore that runs out of room leaves no copy, and the store that was there as it was", async (context) => {
  needsDisk(context);
  const folder = temporaryFolder();
  const large = await openStore(join(folder, "data"));
  const sessions = Array.from({ length: 2000 }, (_, i) => sessionAt(NOW_MS + i));
  await Promise.all(sessions.map((session) => large.create(session)));
  await large.close();
  const backup = join(folder, "backup");
  await backUpStore(join(folder, "data"), backup);

  const disk = smallDisk(32);
  const data = join(disk.path, "data");
  const before = await openStore(data);
  const kept = sessionAt(NOW_MS);
  await before.create(kept);
  await before.close();
  const files = [...readdirSync(data), "control-plane.lock"].sort();
  disk.fill(LEFT_BYTES);
  await expect(restoreStore(backup, data, { force: true, random })).rejects.toThrow("ENOSPC");
  expect(readdirSync(data).sort()).toEqual(files);
  const after = await openStore(data);
  expect(await after.find(kept.id)).toEqual(kept);
  await after.close();

  disk.clear();
  expect(await restoreStore(backup, data, { force: true, random })).toEqual({ checked: true });
  const restored = await openStore(data);
  expect([await restored.find(kept.id), (await restored.find(sessions[9]?.id ?? ""))?.userId]).toEqual([
    undefined,
    "u1",
  ]);
  await restored.close();
});
