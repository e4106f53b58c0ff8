// What every store of edges' status must do. An adapter's test calls this with a way to open an empty one.
import { expect, it } from "vitest";

import type {
  EdgeStatus,
  EdgeStatusStore,
  SharedStatuses,
  StatusChange,
} from "../../src/app/ports/edge-status-ports.js";

const AT_MS = Date.UTC(2026, 0, 1);

/** An instance that watches, and has taken generation 3. */
export const statusOf = (edge: string, instance: string, fields: Partial<EdgeStatus> = {}): EdgeStatus => ({
  edge,
  instance,
  firstContactAtMs: AT_MS,
  lastContactAtMs: AT_MS + 5,
  watching: true,
  lastWatch: {
    log: "log-of-a-test",
    since: 7,
    follow: true,
    policy: { log: "log-of-a-test", generation: 3, hash: "0123456789abcdef", state: "ok" },
    filter: { version: "0.1.0", build: "b".repeat(16), policyFormat: 1 },
    table: { capacity: 65_536, records: 12 },
  },
  ...fields,
});

/** `open` gives an empty store and sees to its end. */
export function edgeStatusContract(open: () => Promise<EdgeStatusStore>): void {
  const A = "a".repeat(16);
  const B = "b".repeat(16);
  const byName = async (store: EdgeStatusStore): Promise<EdgeStatus[]> =>
    [...(await store.all())].sort((one, other) => (one.edge + one.instance < other.edge + other.instance ? -1 : 1));

  it("knows no edge before one is written", async () => {
    expect(await (await open()).all()).toEqual([]);
  });

  it("gives back each instance as it was written last", async () => {
    const store = await open();
    const older = statusOf("gw-1", B, { lastWatch: undefined, watching: false });
    await store.write([statusOf("gw-1", A), older, statusOf("gw-ü/2", A)], []);
    await store.write([statusOf("gw-1", A, { lastContactAtMs: AT_MS + 9 })], []);
    expect(await byName(store)).toEqual([
      statusOf("gw-1", A, { lastContactAtMs: AT_MS + 9 }),
      older,
      statusOf("gw-ü/2", A),
    ]);
  });

  it("removes the instances that are gone and keeps others of their edge", async () => {
    const store = await open();
    await store.write([statusOf("gw-1", A), statusOf("gw-1", B)], []);
    await store.write([statusOf("gw-2", A)], [{ edge: "gw-1", instance: A }]);
    expect(await byName(store)).toEqual([statusOf("gw-1", B), statusOf("gw-2", A)]);
  });

  it("passes over an instance that it never knew when that is gone", async () => {
    const store = await open();
    await store.write([], [{ edge: "gw-1", instance: A }]);
    expect(await store.all()).toEqual([]);
  });
}

/** What one process says of another's instance where it shares the store. */
const DETAIL: EdgeStatus["detail"] = {
  writtenAtMs: AT_MS + 6,
  watchedAtMs: AT_MS + 5,
  addresses: ["192.0.2.7"],
  clock: { offsetMs: -1.5, farSinceMs: AT_MS, isOff: true },
  workers: [
    {
      ...{ worker: "w1", firstReportAtMs: AT_MS, reportedAtMs: AT_MS + 4, moreAtMs: AT_MS + 1, runsSinceMs: AT_MS },
      build: "b".repeat(16),
      runs: { source: "control-plane", generation: 3, hash: "0123456789abcdef" },
    },
    { worker: "", firstReportAtMs: AT_MS, reportedAtMs: AT_MS, runsSinceMs: AT_MS },
  ],
  expectedWorkers: 2,
};

/** A process, as the suite sees it. */
interface OneProcess {
  readonly store: EdgeStatusStore;
  readonly shared: SharedStatuses;
  /** What others have written since the last time. */
  readonly news: () => Promise<readonly StatusChange[]>;
}

/**
 * Of a store that several processes have. `openTwo` gives the two stores of two processes over one that is empty, and
 * sees to its end; `setBack` has it lose all that was written.
 */
export function sharedStatusContract(
  openTwo: () => Promise<{
    readonly one: EdgeStatusStore;
    readonly other: EdgeStatusStore;
    readonly setBack: () => Promise<void>;
  }>,
): void {
  const A = "a".repeat(16);
  const of = (instance: string, edge = "gw-1") => ({ edge, instance });
  const processOf = (store: EdgeStatusStore): OneProcess => {
    const { shared } = store;
    if (shared === undefined) throw new Error("the store is not shared");
    let mark = 0;
    const news = async (): Promise<readonly StatusChange[]> => {
      const said = await shared.changedAfter(mark, 1_000);
      expect(said.isAll).toBe(true);
      mark = said.mark;
      return said.changes;
    };
    return { store, shared, news };
  };
  const opened = async () => {
    const { one, other, setBack } = await openTwo();
    return { one: processOf(one), other: processOf(other), setBack };
  };

  it("each process has a name of its own and finds nothing of its own at the start", async () => {
    const { one, other } = await opened();
    expect(one.shared.process).not.toBe(other.shared.process);
    expect(await one.store.all()).toEqual([]);
    expect(await one.shared.changedAfter(0, 10)).toEqual({ mark: 0, isAll: true, changes: [], processes: [] });
  });

  it("a process reads what others wrote, with all that they say, and not what it wrote itself", async () => {
    const { one, other } = await opened();
    const detailed = statusOf("gw-ü/1", A, { detail: DETAIL, watchingSinceMs: AT_MS });
    await one.store.write([detailed], []);
    await other.store.write([statusOf("gw-2", A)], []);
    expect(await other.news()).toEqual([{ process: one.shared.process, kind: "status", status: detailed }]);
    expect(await one.news()).toMatchObject([{ kind: "status", status: { edge: "gw-2" } }]);
    expect(await one.store.all()).toEqual([detailed]);
  });

  it("two processes keep a status each of the same instance", async () => {
    const { one, other } = await opened();
    await one.store.write([statusOf("gw-1", A, { watching: true })], []);
    await other.store.write([statusOf("gw-1", A, { watching: false })], []);
    await other.store.write([], [of(A)]);
    expect(await one.news()).toEqual([{ process: other.shared.process, kind: "gone", instance: of(A) }]);
    expect(await other.news()).toMatchObject([{ kind: "status", status: { watching: true } }]);
  });

  it("a reading after a mark holds only what was written since, in its order and once", async () => {
    const { one, other } = await opened();
    await one.store.write([statusOf("gw-1", A), statusOf("gw-2", A)], []);
    expect(await other.news()).toHaveLength(2);
    expect(await other.news()).toEqual([]);
    await one.store.write([statusOf("gw-2", A, { watching: false })], []);
    await one.shared.noteCursors([{ ...of(A), log: "log-of-a-test", since: 8 }]);
    await one.shared.noteCursors([{ ...of(A), log: "log-of-a-test", since: 9 }]);
    await one.store.write([statusOf("gw-2", A, { firstContactAtMs: 1 })], []);
    const { process } = one.shared;
    expect(await other.news()).toEqual([
      { process, kind: "cursor", cursor: { ...of(A), log: "log-of-a-test", since: 9 } },
      { process, kind: "status", status: statusOf("gw-2", A, { firstContactAtMs: 1 }) },
    ]);
  });

  it("changes come in pages, and none is missed or repeated", async () => {
    const { one, other } = await opened();
    for (let at = 0; at < 7; at++) await one.store.write([statusOf(`gw-${at}`, A)], []);
    const edges: string[] = [];
    let mark = 0;
    for (let isAll = false; !isAll;) {
      const said = await other.shared.changedAfter(mark, 3);
      expect(said.changes.length).toBeLessThanOrEqual(3);
      for (const change of said.changes) edges.push(change.kind === "status" ? change.status.edge : change.kind);
      ({ mark, isAll } = said);
    }
    expect(edges).toEqual([0, 1, 2, 3, 4, 5, 6].map((at) => `gw-${at}`));
  });

  it("an instance that is gone has neither status nor cursor, until it is written anew", async () => {
    const { one, other } = await opened();
    await one.store.write([statusOf("gw-1", A)], []);
    await one.shared.noteCursors([{ ...of(A), log: "log-of-a-test", since: 8 }]);
    await one.store.write([], [of(A)]);
    const gone = { process: one.shared.process, kind: "gone", instance: of(A) };
    expect(await other.news()).toEqual([gone]);
    expect(await one.store.all()).toEqual([]);
    await one.store.write([statusOf("gw-1", A)], []);
    expect((await other.shared.changedAfter(0, 10)).changes).toMatchObject([{ kind: "status" }]);
  });

  it("all processes that have beaten are listed, with when they did and whether they ended", async () => {
    const { one, other } = await opened();
    await one.shared.beat(AT_MS, false);
    await other.shared.beat(AT_MS + 1, false);
    await other.shared.beat(AT_MS + 2, true);
    const { processes } = await one.shared.changedAfter(0, 10);
    expect([...processes].sort((a, b) => a.atMs - b.atMs)).toEqual([
      { process: one.shared.process, atMs: AT_MS, ended: false },
      { process: other.shared.process, atMs: AT_MS + 2, ended: true },
    ]);
  });

  it("a process that is forgotten leaves nothing behind, and may come again", async () => {
    const { one, other } = await opened();
    await one.store.write([statusOf("gw-1", A)], [of(A, "gw-2")]);
    await one.shared.noteCursors([{ ...of(A), log: "log-of-a-test", since: 8 }]);
    await one.shared.beat(AT_MS, false);
    await other.store.write([statusOf("gw-3", A)], []);
    await other.shared.forget(one.shared.process);
    expect(await other.shared.changedAfter(0, 10)).toMatchObject({ isAll: true, changes: [], processes: [] });
    expect([await one.store.all(), await other.store.all()]).toEqual([[], [statusOf("gw-3", A)]]);
    await one.store.write([statusOf("gw-1", A)], []);
    expect(await other.news()).toMatchObject([{ kind: "status", status: { edge: "gw-1" } }]);
  });

  it("a mark that the store has not come to reads from the beginning", async () => {
    const { one, other, setBack } = await opened();
    for (let at = 0; at < 5; at++) await one.store.write([statusOf("gw-1", A)], []);
    await other.news();
    await setBack();
    await one.store.write([statusOf("gw-2", A)], []);
    expect(await other.news()).toMatchObject([{ kind: "status", status: { edge: "gw-2" } }]);
    expect(await other.news()).toEqual([]);
  });
}
