// The invalidation log: the contract, for the real one and for that of the tests.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { LmdbStore } from "../../../src/store/lmdb/store.js";
import { appendInvalidation } from "../../../src/store/lmdb/invalidation-log.js";
import { newLogId } from "../../../src/store/log-id.js";
import { changingLogContract, logContract } from "../../contracts/log-contract.js";
import type { ChangingLogUnderTest, LogUnderTest } from "../../contracts/log-contract.js";
import { MemoryLog } from "../../../src/store/memory/invalidation-log.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const random = { bytes: (n: number) => randomBytes(n) };

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "sluice-log-"));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

function overLmdb(store: LmdbStore): LogUnderTest {
  return {
    log: store.invalidations,
    append: (...entries) =>
      store.db.env.transaction(() => {
        for (const [kind, id, atMs = NOW_MS] of entries) appendInvalidation(store.db, kind, id, atMs);
      }),
  };
}

describe("the LMDB log keeps the contract", () => {
  logContract(async () => {
    const store = await LmdbStore.open(folder(), random);
    onTestFinished(() => store.close());
    return overLmdb(store);
  });
});

function inMemory(): Promise<ChangingLogUnderTest> {
  const log = new MemoryLog();
  const append: LogUnderTest["append"] = (...entries) => {
    for (const [kind, id, atMs = NOW_MS] of entries) log.append(kind, id, atMs);
    return Promise.resolve();
  };
  const change = (): Promise<void> => {
    log.change("20000000000000bb");
    return Promise.resolve();
  };
  return Promise.resolve({ log, append, change });
}

describe("the in-memory log of the tests keeps the contract", () => {
  logContract(inMemory);
  changingLogContract(inMemory);
});

describe("the LMDB log", () => {
  it("the log in LMDB keeps its id, entries and cursor over a restart", async () => {
    const path = folder();
    const before = await LmdbStore.open(path, random);
    await overLmdb(before).append(["revoked", "a"], ["refresh", "b"]);
    await before.invalidations.trim({ notBeforeMs: 0, nowMs: Infinity, entries: 1 }, 10);
    const position = await before.invalidations.position();
    await before.close();

    const after = await LmdbStore.open(path, random);
    onTestFinished(() => after.close());
    expect(await after.invalidations.position()).toEqual(position);
    expect((await after.invalidations.read({ ...position, cursor: 0 }, 10)).kind).toBe("outOfReach");
    expect(await after.invalidations.read({ ...position, cursor: 1 }, 10)).toEqual({
      kind: "entries",
      position,
      entries: [{ kind: "refresh", sessionId: "b", atMs: NOW_MS }],
    });
  });

  it("a log never has the id that means none, whatever chance gives", () => {
    const given = [new Uint8Array(8), new Uint8Array(8), new Uint8Array(8).fill(1)];
    expect(newLogId({ bytes: () => given.shift() ?? new Uint8Array(8) })).toBe("0101010101010101");
  });
});
