// What is stored of edges, and how often, while they call.
import { describe, expect, it } from "vitest";

import { GONE_AFTER_MS } from "../../../src/app/edges/status/workers.js";
import { startStatusRecorder } from "../../../src/app/edges/status/status-recorder.js";
import type { EdgeStatus } from "../../../src/app/ports/edge-status-ports.js";
import { MemoryEdgeStatus } from "../../../src/store/memory/edge-status.js";
import { statusOf } from "../../contracts/edge-status-contract.js";
import { received, request, settled, T0, watchingMemory } from "../../support/watching.js";

const INSTANCE = request().instance;
const SECOND_MS = 1_000;

/** A store that counts its writes, and fails while a test says so. */
class CountedStatus extends MemoryEdgeStatus {
  writes = 0;
  fails = false;
  override write(...args: Parameters<MemoryEdgeStatus["write"]>): Promise<void> {
    this.writes += 1;
    return this.fails ? Promise.reject(new Error("no space left")) : super.write(...args);
  }
}

/** Edges that watch, and the recorder beside them. */
function recorded(known: readonly EdgeStatus[] = []) {
  const scene = watchingMemory(100_000, undefined, known);
  const { clock, timers, instances: registry, logged, watches } = scene;
  const store = new CountedStatus();
  const note = (fields: object): void => void logged.push(fields);
  const logger = { debug: note, info: note, warn: note, error: note };
  const stop = startStatusRecorder({ registry, store, stored: known, others: undefined, clock, timers, logger });
  /** Holds a watch; the answer drops it. */
  const watch = (fields: Parameters<typeof request>[0] = {}): (() => void) => {
    const client = new AbortController();
    void watches.watch(request(fields), client.signal);
    return () => {
      client.abort();
    };
  };
  const pass = async (ms: number): Promise<void> => {
    await settled();
    for (let passed = 0; passed < ms; passed += SECOND_MS) {
      timers.advance(SECOND_MS);
      await settled();
    }
  };
  return { ...scene, store, stop, watch, pass };
}

describe("the stored status of an edge", () => {
  it("an edge's status is written within a second of its first watch, without violations", async () => {
    const { store, watch, pass } = recorded();
    watch({ policy: received(1, { violations: [{ path: "plans", message: "expected a plan" }] }), since: 4 });
    await pass(SECOND_MS);
    const { log, filter, table } = request();
    const policy = { log, generation: 1, hash: "0123456789abcdef", state: "ok" };
    expect(await store.all()).toEqual([
      {
        ...{ edge: "gw-1", instance: INSTANCE, watching: true },
        ...{ firstContactAtMs: T0, lastContactAtMs: T0, watchingSinceMs: T0 },
        lastWatch: { log, since: 4, follow: true, policy, filter, table },
      },
    ]);
  });

  it("an edge's status is written each half minute while only figures change", async () => {
    const { store, watch, pass, instances } = recorded();
    watch();
    await pass(SECOND_MS);
    expect(store.writes).toBe(1);
    for (let at = 0; at < 28; at++) {
      instances.acquired({ edge: "gw-1", instance: INSTANCE });
      watch({ since: 1, table: { capacity: 65_536, records: at } });
      await pass(SECOND_MS);
    }
    expect(store.writes).toBe(1);
    await pass(SECOND_MS);
    expect(store.writes).toBe(2);
    expect(await store.all()).toMatchObject([{ lastContactAtMs: T0 + 28_000, lastWatch: { since: 1 } }]);
  });

  it("an edge's status is written at once when the edge receives another policy", async () => {
    const { store, watch, pass } = recorded();
    watch();
    await pass(SECOND_MS);
    watch({ policy: received(2, { state: "rejected" }) });
    await pass(SECOND_MS);
    expect(await store.all()).toMatchObject([{ lastWatch: { policy: { generation: 2, state: "rejected" } } }]);
  });

  it("a worker's running policy causes no write of its edge's status", async () => {
    const { store, watch, pass, instances, clock } = recorded();
    watch();
    await pass(SECOND_MS);
    for (const generation of [1, 2, 3]) {
      const policy = { source: "control-plane", generation, hash: `${generation}` };
      const report = { worker: "w", more: false, arrivedAtMs: clock.monotonicMs(), policy };
      instances.reported({ edge: "gw-1", instance: INSTANCE }, report);
      await pass(SECOND_MS);
    }
    expect(store.writes).toBe(1);
  });

  it("a stored status says that its edge watches, also between two watches", async () => {
    const { store, watch, pass } = recorded();
    const hangUp = watch();
    await pass(SECOND_MS);
    hangUp();
    await pass(4 * SECOND_MS);
    watch()();
    await pass(4 * SECOND_MS);
    expect(await store.all()).toMatchObject([{ watching: true }]);
    await pass(3 * SECOND_MS);
    expect(await store.all()).toMatchObject([{ watching: false }]);
  });

  it("an edge's status is removed once the edge is gone", async () => {
    const { store, watch, pass, instances } = recorded();
    watch()();
    await pass(10 * SECOND_MS);
    expect(await store.all()).toHaveLength(1);
    await pass(GONE_AFTER_MS);
    instances.forgetGone();
    await pass(SECOND_MS);
    expect(await store.all()).toEqual([]);
  });

  it("a store that fails holds up no watch; the status is written again, the failure logged", async () => {
    const { store, watch, pass, logged, watches } = recorded();
    store.fails = true;
    watch();
    await pass(2 * SECOND_MS);
    expect(watches.heldCount()).toBe(1);
    expect(logged.at(-1)).toMatchObject({ event: "edge-status-failed" });
    store.fails = false;
    await pass(SECOND_MS);
    expect(await store.all()).toMatchObject([{ edge: "gw-1" }]);
  });

  it("the latest status is stored when the control plane stops", async () => {
    const { store, watch, pass, stop, instances, clock } = recorded();
    watch();
    await pass(2 * SECOND_MS);
    instances.acquired({ edge: "gw-1", instance: INSTANCE });
    await stop();
    expect(await store.all()).toMatchObject([{ lastContactAtMs: clock.nowMs() }]);
  });

  it("the status of many edges is written in a few transactions", async () => {
    const { store, watch, pass } = recorded();
    for (let at = 0; at < 1_200; at++) watch({ edge: `gw-${at}` });
    await settled();
    await pass(3 * SECOND_MS);
    expect([store.writes, (await store.all()).length]).toEqual([3, 1_200]);
  });

  it("a status of an earlier process soon no longer says that its edge watches", async () => {
    const known = [statusOf("gw-1", INSTANCE, { firstContactAtMs: T0 - 9_000, lastContactAtMs: T0 - 8_000 })];
    const { store, pass } = recorded(known);
    await pass(SECOND_MS);
    expect(await store.all()).toEqual([{ ...known[0], watching: false }]);
  });
});
