// Commits that fail, that never end, and a library that gives up: what writers are told, and when it is tried again.
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";

import { StoreUnwritable } from "../../src/app/ports/store-health.js";
import { LmdbLog } from "../../src/store/lmdb/invalidation-log.js";
import { Commits } from "../../src/store/lmdb/commits.js";

/** What LMDB does with a commit: all that this test needs of it. */
class ScriptedLmdb {
  fails = false;
  hangs = false;
  gaveUp = false;
  lost: string | undefined;
  diskTakesWrites = true;
  tried = 0;
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
    probe: { succeeds: () => Promise.resolve(this.diskTakesWrites), room: () => Promise.resolve("none is free") },
  });

  /** Those that hang end after all. */
  goOn(): void {
    this.hangs = false;
    for (const end of this.hanging.splice(0)) end();
  }

  async looks(count: number): Promise<string[]> {
    const found: string[] = [];
    for (let i = 0; i < count; i++) found.push(await this.subject.look());
    return found;
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
  expect(lmdb.subject.isHanging()).toBe(true);
  lmdb.goOn();
  await lmdb.looks(2);
  expect(lmdb.subject.unwritable()).toBeUndefined();
  expect(lmdb.subject.isHanging()).toBe(false);
});

it("a library that has given up is over, but not before the disk takes writes again", async () => {
  const lmdb = new ScriptedLmdb();
  lmdb.fails = true;
  await outcome(lmdb.subject.run(() => 1));
  [lmdb.gaveUp, lmdb.diskTakesWrites] = [true, false];
  expect(await lmdb.looks(3)).toEqual(["on", "on", "on"]);
  expect(lmdb.subject.unwritable()).toBe("LMDB has given up: MDB_PANIC");
  lmdb.diskTakesWrites = true;
  expect(await lmdb.looks(1)).toEqual(["over"]);
});
