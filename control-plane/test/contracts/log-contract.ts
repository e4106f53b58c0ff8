// What every invalidation log must do, whatever it is made of. An adapter's test calls this with a way to open one.
import { expect, it } from "vitest";

import type { InvalidationKind, LogPosition } from "../../src/domain/stored.js";
import type { LogAdvance, LogReading, InvalidationLog } from "../../src/app/ports/log-ports.js";

const NOW_MS = Date.UTC(2026, 0, 1);
const ALL = 1000;
const OTHER_LOG = "f".repeat(16);

export interface LogUnderTest {
  readonly log: InvalidationLog;
  /** Appends in one commit, and resolves once it is durable and listeners were called. */
  readonly append: (...entries: [InvalidationKind, string, number?][]) => Promise<void>;
}

const namesIn = (reading: LogReading): string[] =>
  reading.kind === "entries" ? reading.entries.map(({ kind, sessionId }) => `${kind} ${sessionId}`) : [reading.kind];

/** As of the log that the store has now. */
const readFrom = async (log: InvalidationLog, cursor: number, limit = ALL): Promise<LogReading> =>
  log.read({ ...(await log.position()), cursor }, limit);

/** `open` gives an empty log and sees to its end. */
export function logContract(open: () => Promise<LogUnderTest>): void {
  it("a log begins at 0, with an id of 16 digits that are not all zero", async () => {
    const { log } = await open();
    const position = await log.position();
    expect(position.cursor).toBe(0);
    expect(position.log).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
    expect(await readFrom(log, 0)).toEqual({ kind: "entries", position, entries: [] });
  });

  it("entries past a cursor come in their order, with the number of the last", async () => {
    const { log, append } = await open();
    await append(["revoked", "a"], ["refresh", "b"]);
    await append(["revoked", "c"]);
    expect(namesIn(await readFrom(log, 0))).toEqual(["revoked a", "refresh b", "revoked c"]);
    expect(namesIn(await readFrom(log, 2))).toEqual(["revoked c"]);
    expect((await readFrom(log, 2)).position).toEqual(await log.position());
    expect(await readFrom(log, 3)).toMatchObject({ kind: "entries", entries: [], position: { cursor: 3 } });
  });

  it("entries are limited in number, and the cursor then is that of the last one", async () => {
    const { log, append } = await open();
    await append(["revoked", "a"], ["revoked", "b"], ["revoked", "c"]);
    const reading = await readFrom(log, 0, 2);
    expect([namesIn(reading), reading.position.cursor]).toEqual([["revoked a", "revoked b"], 2]);
    expect((await log.position()).cursor).toBe(3);
  });

  it("a cursor past the head is out of reach", async () => {
    const { log, append } = await open();
    await append(["revoked", "a"]);
    expect(await readFrom(log, 2)).toEqual({ kind: "outOfReach", position: await log.position() });
  });

  it("a cursor of another log is out of reach, also the first and that of the head", async () => {
    const { log, append } = await open();
    await append(["revoked", "a"], ["revoked", "b"]);
    const position = await log.position();
    for (const cursor of [0, 1, 2]) {
      expect(await log.read({ log: OTHER_LOG, cursor }, ALL)).toEqual({ kind: "outOfReach", position });
    }
  });

  it("listeners get each commit once, with its last number and whether it revoked", async () => {
    const { log, append } = await open();
    const commits: LogAdvance[] = [];
    const end = log.subscribe((advance) => commits.push(advance));
    await append(["refresh", "a"]);
    await append(["revoked", "b"]);
    end();
    await append(["revoked", "c"]);
    const { log: name } = await log.position();
    expect(commits).toEqual([
      { log: name, cursor: 1, revoked: false },
      { log: name, cursor: 2, revoked: true },
    ]);
  });

  it("listeners see the entry that they are called for", async () => {
    const { log, append } = await open();
    const readings: Promise<LogReading>[] = [];
    log.subscribe((head) => readings.push(log.read({ ...head, cursor: head.cursor - 1 }, ALL)));
    await append(["revoked", "a"]);
    await append(["revoked", "b"]);
    expect((await Promise.all(readings)).map(namesIn)).toEqual([["revoked a"], ["revoked b"]]);
  });

  it("entries that are too old are dropped, and cursors before them are out of reach", async () => {
    const { log, append } = await open();
    await append(["revoked", "a", NOW_MS], ["revoked", "b", NOW_MS + 1], ["revoked", "c", NOW_MS + 2]);
    expect(await log.trim({ notBeforeMs: NOW_MS + 2, nowMs: Infinity, entries: ALL }, 10)).toBe(2);
    expect(await log.trim({ notBeforeMs: NOW_MS + 2, nowMs: Infinity, entries: ALL }, 10)).toBe(0);
    expect((await readFrom(log, 1)).kind).toBe("outOfReach");
    expect(namesIn(await readFrom(log, 2))).toEqual(["revoked c"]);
    expect((await log.position()).cursor).toBe(3);
  });

  it("invalidations of a clock that was ahead go with the first one after them that is too old", async () => {
    const { log, append } = await open();
    const limits = { notBeforeMs: NOW_MS, nowMs: NOW_MS + 9, entries: ALL };
    await append(["revoked", "a", 1e15], ["revoked", "b", 1e15], ["revoked", "c", NOW_MS]);
    expect(await log.trim(limits, 10)).toBe(0);
    expect(await log.trim({ ...limits, notBeforeMs: NOW_MS + 1 }, 2)).toBe(2);
    expect(await log.trim({ ...limits, notBeforeMs: NOW_MS + 1 }, 2)).toBe(1);
  });

  it("entries are bounded in number, and dropped in chunks", async () => {
    const { log, append } = await open();
    await append(["revoked", "a"], ["revoked", "b"], ["revoked", "c"], ["revoked", "d"]);
    expect(await log.trim({ notBeforeMs: 0, nowMs: Infinity, entries: 1 }, 2)).toBe(2);
    expect(namesIn(await readFrom(log, 2))).toEqual(["revoked c", "revoked d"]);
    expect(await log.trim({ notBeforeMs: 0, nowMs: Infinity, entries: 1 }, 2)).toBe(1);
    expect(namesIn(await readFrom(log, 3))).toEqual(["revoked d"]);
  });

  it("a log counts on from its last number after everything has been dropped", async () => {
    const { log, append } = await open();
    await append(["revoked", "a", NOW_MS], ["revoked", "b", NOW_MS]);
    expect(await log.trim({ notBeforeMs: NOW_MS + 1, nowMs: Infinity, entries: ALL }, 10)).toBe(2);
    expect((await readFrom(log, 1)).kind).toBe("outOfReach");
    expect(namesIn(await readFrom(log, 2))).toEqual([]);
    await append(["refresh", "c", NOW_MS + 1]);
    expect(namesIn(await readFrom(log, 2))).toEqual(["refresh c"]);
    expect((await log.position()).cursor).toBe(3);
  });
}

export interface ChangingLogUnderTest extends LogUnderTest {
  /** The store comes to have another log, as by a restart of its server. Resolves once listeners were called. */
  readonly change: () => Promise<void>;
}

/** What a log must do that may become another one while it is open. `open` as above. */
export function changingLogContract(open: () => Promise<ChangingLogUnderTest>): void {
  it("a log that became another has a new id, and cursors of the former one are out of reach", async () => {
    const { log, append, change } = await open();
    await append(["revoked", "a"], ["revoked", "b"]);
    const former = await log.position();
    await change();
    const position = await log.position();
    expect(position.log).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
    expect(position.log).not.toBe(former.log);
    for (const cursor of [0, 1, 2]) {
      expect(await log.read({ log: former.log, cursor }, ALL)).toEqual({ kind: "outOfReach", position });
    }
    expect(await log.read(position, ALL)).toEqual({ kind: "entries", position, entries: [] });
  });

  it("listeners are called when the log became another, though nothing was appended", async () => {
    const { log, append, change } = await open();
    await append(["revoked", "a"]);
    const heads: LogAdvance[] = [];
    const end = log.subscribe((head) => heads.push(head));
    await change();
    end();
    expect(heads).toEqual([{ ...(await log.position()), revoked: false }]);
  });

  it("entries go on after a log became another, under its id", async () => {
    const { log, append, change } = await open();
    await append(["revoked", "a"]);
    await change();
    const head: LogPosition = await log.position();
    const heads: LogAdvance[] = [];
    log.subscribe((advance) => heads.push(advance));
    await append(["revoked", "b"]);
    expect(namesIn(await log.read(head, ALL))).toEqual(["revoked b"]);
    expect(heads).toEqual([{ log: head.log, cursor: head.cursor + 1, revoked: true }]);
  });
}
