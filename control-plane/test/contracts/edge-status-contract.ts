// What every store of edges' status must do. An adapter's test calls this with a way to open an empty one.
import { expect, it } from "vitest";

import type { EdgeStatus, EdgeStatusStore } from "../../src/app/ports/edge-status-ports.js";

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
