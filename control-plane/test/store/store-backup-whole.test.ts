// Backups that were cut short or damaged since they were made.
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { BackupRejected } from "../../src/store/lmdb/backup-file.js";
import { openStore } from "../support/temporary-store.js";
import { backUpStore, restoreStore } from "../../src/store/lmdb/backup.js";
import { openLayout, STORE_FILE } from "../../src/store/lmdb/layout.js";
import { sessionAt } from "../support/sessions.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const random = { bytes: (n: number) => randomBytes(n) };

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "sluice-backup-"));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

/** A store with one session, and its backup. */
async function backedUp() {
  const [data, file] = [folder(), join(folder(), "backup.mdb")];
  const store = await openStore(data);
  const session = sessionAt(NOW_MS);
  await store.create(session);
  await backUpStore(data, file);
  await store.close();
  return { data, file, session };
}

async function found(data: string, id: string) {
  const store = await openStore(data);
  onTestFinished(() => store.close());
  return store.find(id);
}

const without = (count: number) => (whole: Buffer) => whole.subarray(0, whole.length - count);

/** One bit turned over, so far into the file. */
const bitFlippedAt = (share: number) => (whole: Buffer) => {
  const at = Math.floor(share * (whole.length - 1));
  const bytes = Buffer.from(whole);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
};

const ofFormat2 = (whole: Buffer) => Buffer.from(whole.toString("latin1").replace("1 ", "2 "), "latin1");

describe("a backup that cannot be restored", () => {
  it.each<[string, (whole: Buffer) => Buffer, string]>([
    ["lacks its last byte", without(1), "is cut short: it has "],
    ["lacks its second half", (whole) => whole.subarray(0, whole.length / 2), "is cut short: it has "],
    ["ends within its first line", (whole) => whole.subarray(0, 40), "is cut short or damaged"],
    ["is of another format", ofFormat2, "is cut short or damaged, or of a newer version"],
    ["has another bit in its middle", bitFlippedAt(0.5), "is damaged"],
    ["has another bit at its end", bitFlippedAt(1), "is damaged"],
    ["is followed by more", (whole) => Buffer.concat([whole, Buffer.from("more")]), "is damaged"],
    ["is empty", () => Buffer.alloc(0), "is no backup"],
  ])("a backup that %s is rejected, and the store stays as it is", async (_, spoil, reason) => {
    const { data, file, session } = await backedUp();
    const spoilt = join(folder(), "spoilt.mdb");
    writeFileSync(spoilt, spoil(readFileSync(file)));
    const before = ["control-plane.lock", ...readdirSync(data)];
    const failure = await restoreStore(spoilt, data, { force: true, random }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BackupRejected);
    expect((failure as BackupRejected).message).toContain(`${spoilt} ${reason}`);
    expect(readdirSync(data)).toEqual(before);
    expect(await found(data, session.id)).toEqual(session);
  });

  it("a backup of a newer schema is rejected, and the store stays as it is", async () => {
    const [newer, file, data] = [folder(), join(folder(), "newer.mdb"), folder()];
    const layout = openLayout(newer, random);
    await layout.meta.put("schema", 99);
    await layout.env.close();
    await backUpStore(newer, file);
    await expect(restoreStore(file, data, { force: false, random })).rejects.toThrow("newer version");
    expect(readdirSync(data)).toEqual(["control-plane.lock"]);
  });
});

describe("a backup without a check sum", () => {
  it("a backup without a check sum, as of earlier versions, is restored as unchecked", async () => {
    const { data, file, session } = await backedUp();
    const [bare, fresh] = [join(folder(), "bare.mdb"), folder()];
    copyFileSync(join(data, STORE_FILE), bare);
    expect(await restoreStore(bare, fresh, { force: false, random })).toEqual({ checked: false });
    expect(await found(fresh, session.id)).toEqual(session);
    expect(await restoreStore(file, folder(), { force: false, random })).toEqual({ checked: true });
  });
});
