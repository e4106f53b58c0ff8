// Group commit of reports: many go into few commits, and none is answered before its rows are durable.
import { describe, expect, it } from "vitest";

import type { ReportedRow } from "../../../src/domain/decisions/reported-rows.js";
import { UpdateConflict } from "../../../src/app/ports/update-ports.js";
import { UsageCommits } from "../../../src/app/edges/usage-commits.js";
import type { Committed } from "../../../src/app/edges/usage-commits.js";
import { sessionAt } from "../../support/sessions.js";

const rowOf = (sessionId: string, rev: number, instance = "aaaaaaaaaaaaaaaa"): ReportedRow => {
  return { sessionId, edge: "gw-1", instance, rev, consumed: rev, levelMicro: 0, atMs: 0, reportedAtMs: 0 };
};
const rowsOf = (count: number, rev = 1) => Array.from({ length: count }, (_, i) => rowOf(`s${i}`, rev));

/** A store whose commits end when the test says so. */
class SlowStore {
  readonly commits: (readonly ReportedRow[])[] = [];
  private readonly ends: { done: (committed: Committed) => void; failed: (reason: unknown) => void }[] = [];

  report(rows: readonly ReportedRow[]): Promise<Committed> {
    this.commits.push(rows);
    return new Promise((done, failed) => this.ends.push({ done, failed }));
  }

  end(error?: Error): void {
    const rows = this.commits[this.commits.length - this.ends.length] ?? [];
    const next = this.ends.shift();
    const session = sessionAt(0);
    const became = { session, consumed: 1, dropped: [] };
    if (error === undefined) next?.done(new Map(rows.map(({ sessionId }) => [sessionId, became])));
    else next?.failed(error);
  }
}

function commitsOver(store: SlowStore): { commits: UsageCommits; sizes: number[] } {
  const sizes: number[] = [];
  const commits = new UsageCommits(
    (rows) => store.report(rows),
    ({ size }) => void sizes.push(size),
  );
  return { commits, sizes };
}

/** Whether it has resolved once everything that can go on has gone on. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise<false>((resolve) => setImmediate(resolve, false));
  return Promise.race([promise.then(() => true), turn]);
}

describe("reports that arrive at the same time", () => {
  it("a report is answered only once its rows are committed", async () => {
    const store = new SlowStore();
    const { commits } = commitsOver(store);
    const report = commits.commit(rowsOf(2));
    expect(await isDone(report)).toBe(false);
    store.end();
    expect([...((await report) ?? new Map<string, unknown>()).keys()]).toEqual(["s0", "s1"]);
  });

  it("all reports during a commit share the next, each answered for its own sessions", async () => {
    const store = new SlowStore();
    const { commits, sizes } = commitsOver(store);
    const first = commits.commit([rowOf("s1", 1)]);
    const others = ["s2", "s3", "s4"].map((id) => commits.commit([rowOf(id, 1), rowOf("s9", 1)]));
    store.end();
    await first;
    expect(await isDone(Promise.race(others))).toBe(false);
    store.end();
    const answers = await Promise.all(others);
    expect(answers.map((one) => [...(one?.keys() ?? [])])).toEqual([
      ["s2", "s9"],
      ["s3", "s9"],
      ["s4", "s9"],
    ]);
    expect(store.commits.map((rows) => rows.length)).toEqual([1, 4]);
    expect(sizes).toEqual([1, 4]);
  });

  it("many waiting reports are committed in pieces that do not hold up the process", async () => {
    const store = new SlowStore();
    const { commits } = commitsOver(store);
    const report = commits.commit(rowsOf(512));
    store.end();
    expect(await isDone(report)).toBe(false);
    store.end();
    expect((await report)?.size).toBe(512);
    expect(store.commits.map((rows) => rows.length)).toEqual([256, 256]);
  });

  it("the highest rev of a session at an instance wins within a commit", async () => {
    const store = new SlowStore();
    const { commits } = commitsOver(store);
    const rows = [rowOf("s1", 5), rowOf("s1", 3), rowOf("s1", 4, "bbbbbbbbbbbbbbbb")];
    const report = commits.commit(rows);
    store.end();
    await report;
    expect(store.commits[0]?.map(({ rev }) => rev)).toEqual([5, 4]);
  });

  it("a commit has an older row too where only that has levels of further limits", async () => {
    const store = new SlowStore();
    const { commits } = commitsOver(store);
    const withLimits = (id: string, rev: number) => ({
      ...rowOf(id, rev),
      limits: { daily: { levelMicro: rev, atMs: 0 } },
    });
    const rows = [
      ...[rowOf("s1", 6), withLimits("s1", 4), withLimits("s1", 5), rowOf("s1", 3)],
      ...[withLimits("s2", 6), withLimits("s2", 5), rowOf("s2", 6)],
    ];
    const report = commits.commit(rows);
    store.end();
    await report;
    const committed = store.commits[0]?.map(({ sessionId, rev, limits }) => [
      sessionId,
      rev,
      limits?.["daily"]?.levelMicro,
    ]);
    expect(committed).toEqual([
      ["s1", 5, 5],
      ["s1", 6, undefined],
      ["s2", 6, 6],
    ]);
  });

  it("a report beside a session that another process writes all the time is written, in halves", async () => {
    const store = new SlowStore();
    const { commits, sizes } = commitsOver(store);
    const blocker = commits.commit([rowOf("s9", 1)]);
    const reports = ["s1", "s2", "s3", "s4"].map((id) => commits.commit([rowOf(id, 1)]));
    store.end();
    await blocker;
    // All four; of them the first two; the first; the second; the last two.
    const conflicts = [true, true, true, false, false];
    for (const conflict of conflicts) {
      await isDone(Promise.race(reports));
      store.end(conflict ? new UpdateConflict("report") : undefined);
    }
    const settled = await Promise.allSettled(reports);
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled", "fulfilled"]);
    expect(settled[0]).toMatchObject({ reason: new UpdateConflict("report") });
    expect(store.commits.map((rows) => rows.length)).toEqual([1, 4, 2, 1, 1, 2]);
    expect(sizes).toEqual([1, 1, 2]);
  });

  it("a commit that fails fails its own reports, and no other", async () => {
    const store = new SlowStore();
    const { commits, sizes } = commitsOver(store);
    const [first, second] = [commits.commit([rowOf("s1", 1)]), commits.commit([rowOf("s2", 1)])];
    store.end(new Error("the disk is full"));
    await expect(first).rejects.toThrow("the disk is full");
    store.end();
    expect((await second)?.size).toBe(1);
    expect(sizes).toEqual([1]);
  });

  it("a report is denied where too much waits, and taken again once that is written", async () => {
    const store = new SlowStore();
    const { commits } = commitsOver(store);
    const waiting = Array.from({ length: 129 }, () => commits.commit(rowsOf(512)));
    expect(await waiting[128]).toBeUndefined();
    for (let i = 0; i < 256; i++) {
      store.end();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(waiting);
    const last = commits.commit(rowsOf(1));
    store.end();
    expect((await last)?.size).toBe(1);
  });
});
