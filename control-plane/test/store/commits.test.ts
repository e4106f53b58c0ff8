// Commits that fail, that never end, and a library that gives up: what writers are told, and when it is tried again.
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";

import { StoreUnwritable } from "../../src/app/ports/store-health.js";
import { LmdbLog } from "../../src/store/lmdb/invalidation-log.js";
import { FixedClock } from "../support/fixed-clock.js";
import { ManualTimers } from "../support/manual-timers.js";
import { Commits } from "../../src/store/lmdb/commits.js";

/** What LMDB does with a commit: all that this test needs of it. */
class ScriptedLmdb {
  fails = false;
  hangs = false;
  gaveUp = false;
  lost: string | undefined;
  diskTakesWrites = true;
  tried = 0;
  probeHangs = false;
  probed = 0;
  private readonly hanging: (() => void)[] = [];

  readonly subject = new Commits({
    env: {
      transaction: <T>(write: () => T) => this.commit(write),
      committed: Promise.resolve(true),
      on: () => undefined,
    } as never,
    meta: {
      get: () => {
        if (this.gaveUp) throw new Error("MDB_PANIC");
      },
      put: () => Promise.resolve(true),
    },
    file: { lost: () => this.lost },
    probe: { succeeds: () => this.probe(), room: () => Promise.resolve("none is free") },
  });

  /** Those that hang end after all. */
  goOn(): void {
    this.hangs = this.probeHangs = false;
    for (const end of this.hanging.splice(0)) end();
  }

  async looks(count: number): Promise<string[]> {
    const found: string[] = [];
    for (let i = 0; i < count; i++) {
      found.push(this.subject.look());
      await nextTurn();
    }
    return found;
  }

  private async probe(): Promise<boolean> {
    this.probed += 1;
    if (this.probeHangs) await new Promise<void>((resolve) => this.hanging.push(resolve));
    return this.diskTakesWrites;
  }

  private async commit<T>(write: () => T): Promise<T> {
    this.tried += 1;
    if (this.hangs) await new Promise<void>((resolve) => this.hanging.push(resolve));
    if (!this.fails) return write();
    const commitError = Promise.reject(new Error("Input/output error"));
    throw Object.assign(new Error("Commit failed (see commitError for details)"), { commitError });
  }
}

/** The log over an LMDB that gives up with the next commit. */
function givingUp(): { log: LmdbLog; commit: () => void } {
  let afterCommit = (): void => undefined;
  let isUp = true;
  const get = (): number => {
    if (isUp) return 0;
    throw new Error("MDB_PANIC");
  };
  const env = { on: (_: string, call: () => void) => void (afterCommit = call) };
  const commit = (): void => {
    isUp = false;
    afterCommit();
  };
  return { log: new LmdbLog({ meta: { get }, env } as never, "log"), commit };
}

it("a library that gives up ends no process by what the log reads after each commit", async () => {
  const { log, commit } = givingUp();
  let told = 0;
  log.subscribe(() => (told += 1));
  commit();
  await nextTurn();
  expect(told).toBe(0);
});

const outcome = (write: Promise<unknown>): Promise<unknown> => write.catch((error: unknown) => error);

it("a failed commit rejects its writer with the cause, and further writes without trying", async () => {
  const lmdb = new ScriptedLmdb();
  expect(await lmdb.subject.run(() => 1)).toBe(1);
  lmdb.fails = true;
  const why = "a commit failed: Input/output error; none is free";
  expect(await outcome(lmdb.subject.run(() => 1))).toEqual(new StoreUnwritable(why));
  expect(lmdb.subject.unwritable()).toBe(why);
  expect(await outcome(lmdb.subject.run(() => 1))).toBeInstanceOf(StoreUnwritable);
  expect(lmdb.tried).toBe(2);
});

it("what a decision throws is its caller's, and no failure of the store", async () => {
  const lmdb = new ScriptedLmdb();
  const thrown = new Error("a decision's own");
  const run = lmdb.subject.run(() => {
    throw thrown;
  });
  expect(await outcome(run)).toBe(thrown);
  expect(lmdb.subject.unwritable()).toBeUndefined();
});

it("the store is written a second after the disk takes writes, and LMDB not asked before", async () => {
  const lmdb = new ScriptedLmdb();
  [lmdb.fails, lmdb.diskTakesWrites] = [true, false];
  await outcome(lmdb.subject.run(() => 1));
  await lmdb.looks(20);
  expect(lmdb.tried).toBe(1);
  [lmdb.fails, lmdb.diskTakesWrites] = [false, true];
  await lmdb.looks(1);
  expect(lmdb.subject.unwritable()).toBeUndefined();
});

it("commits that fail again and again are tried at twice the distance each time, up to 16 s", async () => {
  const lmdb = new ScriptedLmdb();
  lmdb.fails = true;
  await outcome(lmdb.subject.run(() => 1));
  const triedAt: number[] = [];
  for (let second = 1; second <= 64; second++) {
    const before = lmdb.tried;
    await lmdb.looks(1);
    if (lmdb.tried > before) triedAt.push(second);
  }
  expect(triedAt).toEqual([1, 3, 7, 15, 31, 47, 63]);
});

it("a commit that does not end is given up on after 30 s, and may still end later", async () => {
  const lmdb = new ScriptedLmdb();
  lmdb.hangs = true;
  const stuck = outcome(lmdb.subject.run(() => 1));
  await lmdb.looks(30);
  expect(lmdb.subject.unwritable()).toBeUndefined();
  await lmdb.looks(1);
  expect(await stuck).toEqual(new StoreUnwritable("a commit has not ended for 30 s"));
  expect(lmdb.subject.isAtDisk()).toBe(true);
  lmdb.goOn();
  await lmdb.looks(2);
  expect(lmdb.subject.unwritable()).toBeUndefined();
  expect(lmdb.subject.isAtDisk()).toBe(false);
});

it("a disk that hangs is named in the look that finds it, and probed once until it goes on", async () => {
  const lmdb = new ScriptedLmdb();
  lmdb.hangs = lmdb.probeHangs = true;
  const stuck = outcome(lmdb.subject.run(() => 1));
  await lmdb.looks(90);
  expect(await stuck).toBeInstanceOf(StoreUnwritable);
  expect([lmdb.subject.unwritable(), lmdb.probed]).toEqual(["a commit has not ended for 30 s", 1]);
  lmdb.goOn();
  await lmdb.looks(2);
  expect([lmdb.subject.unwritable(), lmdb.subject.isAtDisk()]).toEqual([undefined, false]);
});

it("a look goes on beside a trial commit that hangs, and that one is given up on too", async () => {
  const lmdb = new ScriptedLmdb();
  lmdb.fails = true;
  await outcome(lmdb.subject.run(() => 1));
  [lmdb.fails, lmdb.hangs] = [false, true];
  expect(await lmdb.looks(40)).not.toContain("over");
  expect([lmdb.tried, lmdb.subject.isAtDisk()]).toEqual([2, true]);
  lmdb.goOn();
  await lmdb.looks(5);
  expect(lmdb.subject.unwritable()).toBeUndefined();
});

it("an end waits for a commit, but for one that hangs only the time it is given", async () => {
  const clock = new FixedClock();
  const timers = new ManualTimers(clock);
  const lmdb = new ScriptedLmdb();
  expect(await lmdb.subject.idle(timers, 2000)).toBe(true);
  lmdb.hangs = true;
  const slow = lmdb.subject.run(() => 1);
  const inTime = lmdb.subject.idle(timers, 2000);
  lmdb.goOn();
  expect([await inTime, await slow, timers.pending]).toEqual([true, 1, 0]);
  lmdb.hangs = true;
  void lmdb.subject.run(() => 1);
  const hanging = lmdb.subject.idle(timers, 2000);
  timers.advance(2000);
  expect([await hanging, lmdb.subject.isAtDisk()]).toEqual([false, true]);
});

it("a library that has given up is over, but not before the disk takes writes again", async () => {
  const lmdb = new ScriptedLmdb();
  lmdb.fails = true;
  await outcome(lmdb.subject.run(() => 1));
  [lmdb.gaveUp, lmdb.diskTakesWrites] = [true, false];
  expect(await lmdb.looks(3)).toEqual(["on", "on", "on"]);
  expect(lmdb.subject.unwritable()).toBe("LMDB has given up: MDB_PANIC");
  lmdb.diskTakesWrites = true;
  expect(await lmdb.looks(2)).toEqual(["on", "over"]);
  expect(await lmdb.subject.idle(new ManualTimers(new FixedClock()), 2000)).toBe(false);
});
