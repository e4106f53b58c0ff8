// Copies between the engines, in each direction, and what is said of one while it goes on.
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { copyStore } from "../../src/store/copy/copy-store.js";
import { checksum, NOTHING_READ, withRows } from "../../src/store/copy/digest.js";
import { Progress } from "../../src/store/copy/progress.js";
import { openLmdbSource, openLmdbTarget } from "../../src/store/lmdb/image.js";
import { openLmdb } from "../../src/store/lmdb/open-lmdb.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import { copyContract } from "../contracts/copy-contract.js";
import type { StorePlace } from "../contracts/copy-contract.js";
import { filled, FILLED_AT_MS } from "../support/filled-store.js";
import { FixedClock } from "../support/fixed-clock.js";
import { lmdbPlace } from "../support/lmdb-place.js";
import { ManualTimers } from "../support/manual-timers.js";
import { temporaryFolder } from "../support/process.js";
import { openStore } from "../support/temporary-store.js";
import { sessionAt } from "../support/sessions.js";
import { withVerbs } from "../support/store-verbs.js";

const random = { bytes: (n: number) => randomBytes(n) };

let logs = 0;
function memory(): StorePlace {
  const store = withVerbs(new MemoryStore(`log-${++logs}`));
  const image = store.image();
  return {
    open: () => Promise.resolve(store),
    source: () => Promise.resolve(image),
    target: () => Promise.resolve(image),
  };
}

describe.each([
  ["LMDB", "LMDB", lmdbPlace, lmdbPlace],
  ["LMDB", "memory", lmdbPlace, memory],
  ["memory", "LMDB", memory, lmdbPlace],
  ["memory", "memory", memory, memory],
])("from %s to %s", (_from, _to, from, to) => {
  copyContract(() => ({ from: from(), to: to() }));
});

describe("a folder that is being copied", () => {
  /** Opened as a control plane opens it. */
  const served = async (path: string): Promise<void> =>
    (await openLmdb(path, random, new ManualTimers(new FixedClock()))).close();
  const mark = { from: "x", next: null, digest: NOTHING_READ };

  it("no control plane takes a folder into which a copy is not finished", async () => {
    const path = temporaryFolder();
    const target = await openLmdbTarget(path, random);
    await target.begin(mark);
    await expect(served(path)).rejects.toThrow(/is in use: copy, process \d+/);
    await target.close();
    const unfinished = "a copy into this store was begun and is not finished";
    await expect(served(path)).rejects.toThrow(unfinished);
    await expect(openLmdbSource(path, random)).rejects.toThrow(unfinished);
    const again = await openLmdbTarget(path, random);
    await again.finish();
    await again.close();
    await served(path);
  });

  it("a folder that a control plane has is neither copied nor copied into", async () => {
    const path = temporaryFolder();
    const store = await openLmdb(path, random, new ManualTimers(new FixedClock()));
    for (const open of [openLmdbSource, openLmdbTarget]) {
      await expect(open(path, random)).rejects.toThrow(/is in use: control plane, process \d+/);
    }
    await store.close();
    await (await openLmdbSource(path, random)).close();
  });

  it("a folder without a store is no source, and none is made there", async () => {
    const path = temporaryFolder();
    await expect(openLmdbSource(path, random)).rejects.toThrow(`there is no store in ${path}`);
    expect(readdirSync(path)).toEqual([]);
    await (await openLmdbTarget(path, random)).close();
    await expect(openLmdbSource(path, random)).rejects.toThrow(`there is no store in ${path}`);
  });

  it("a page of sessions with many rows ends early, and the next one goes on", async () => {
    const path = temporaryFolder();
    const store = await openStore(path);
    for (let i = 0; i < 4; i++) await store.create(sessionAt(FILLED_AT_MS + i));
    const ids = (await store.operator.sessionsBefore({ by: "creation" }, undefined, 9)).map(({ id }) => id).reverse();
    await store.db.commits.run(() => {
      for (const id of ids.slice(0, 2)) {
        for (let i = 0; i < 10_000; i++)
          void store.db.usage.put([id, "e", String(i)], { acquiredAtMs: i, figures: null });
      }
    });
    await store.close();
    const source = await openLmdbSource(path, random);
    const first = await source.pages("sessions", undefined, 100);
    const second = await source.pages("sessions", first.next, 100);
    await source.close();
    expect([first, second].map(({ rows }) => rows.map(({ session }) => session.id))).toEqual([
      ids.slice(0, 2),
      ids.slice(2),
    ]);
    expect(second.next).toBeUndefined();
  });
});

describe("what is said of a copy", () => {
  it("a line each second says how many sessions are there, how fast, and how long it will take", async () => {
    const from = memory();
    await filled(await from.open());
    let nowMs = 0;
    const lines: string[] = [];
    const parts = {
      source: await from.source(),
      target: await memory().target(),
      monotonicMs: () => (nowMs += 250),
      say: (line: string) => void lines.push(line),
      pageRows: 3,
    };
    await copyStore(parts);
    expect(lines.filter((line) => line.startsWith("copied: 0 of"))).toHaveLength(1);
    expect(lines.at(1)).toBe("copied: 6 of 12 sessions, 3 a second, about 2 s left");
    expect(lines.some((line) => line.startsWith("verified: "))).toBe(true);
  });

  it("the rate of a run that goes on counts what it copied itself", () => {
    const lines: string[] = [];
    let nowMs = 5000;
    const progress = new Progress(
      "copied",
      900,
      1000,
      () => nowMs,
      (line) => void lines.push(line),
    );
    nowMs = 5999;
    progress.at(910);
    nowMs = 7000;
    progress.at(920);
    expect(lines).toEqual(["copied: 920 of 1000 sessions, 10 a second, about 8 s left"]);
  });
});

describe("the checksum of a store", () => {
  const one = { a: 1, b: [{ c: "x", d: null }] };
  const other = { a: 2, b: [] };
  const sumOf = (...rows: readonly object[]) => checksum(withRows(NOTHING_READ, "audit", rows));

  it("the checksum does not depend on the order of rows, or of names in them", () => {
    expect(sumOf(one, other)).toBe(sumOf(other, { b: [{ d: null, c: "x" }], a: 1 }));
    expect(sumOf(one)).toBe(sumOf({ ...one, e: undefined }));
  });

  it.each([
    ["a row that is missing", [one]],
    ["a row that is there twice", [one, other, other]],
    ["two rows that are there twice more", [one, one, one, other, other, other]],
    ["a value that differs", [one, { a: 2, b: [0] }]],
    ["a number in place of its text", [{ ...one, a: "1" }, other]],
    ["a null that went", [{ a: 1, b: [{ c: "x" }] }, other]],
  ])("the checksum differs for %s", (_what, rows) => {
    expect(sumOf(...rows)).not.toBe(sumOf(one, other));
  });
});
