// Listing edges: GET /v1/edges, and what the metrics say of them.
import { describe, expect, it } from "vitest";

import { GONE_AFTER_MS } from "../../../src/app/edges/status/workers.js";
import { created, INSTANCE, KEYS, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { FILTER } from "../../support/watching.js";

const WORKER = "aaaabbbbccccdddd";

/** What a filter says that has taken generation 1 of this control plane. */
async function saying(plane: TestControlPlane, state = "ok") {
  const { log } = await plane.store.position();
  const { generation = 0, hash } = plane.policies.published("gw-1") ?? {};
  return { log, follow: true, policy: { log, generation, hash, state }, filter: FILTER, table: TABLE };
}
const TABLE = { capacity: 65_536, records: 12 };

describe("GET /v1/edges", () => {
  const watch = (plane: TestControlPlane, fields: object) =>
    plane.call(
      "POST",
      "/edge/v1/watch",
      { edge: "gw-1", instance: INSTANCE, since: 0, ...fields },
      KEYS.edgeCredential,
    );

  it("GET /v1/edges shows an operator an edge with its instances and workers", async () => {
    const plane = await startTestControlPlane();
    const held = watch(plane, await saying(plane));
    await expect.poll(() => plane.watches.heldCount()).toBe(1);
    const hash = plane.policies.published("gw-1")?.hash;
    const runs = { source: "control-plane", generation: 1, hash };
    await plane.report([], { worker: WORKER, build: FILTER.build, policy: runs });
    const answer = await plane.call("GET", "/v1/edges");
    const nowMs = plane.clock.nowMs();
    const shared = { state: "current", silentWorkers: 0, watching: true, lastReportAt: nowMs, lag: 0 };
    const worker = { worker: WORKER, ...runs, build: FILTER.build, lastReportAt: nowMs };
    expect(answer.body).toEqual({
      edges: [
        {
          edge: "gw-1",
          ...shared,
          published: 1,
          received: { generation: 1, state: "ok" },
          violations: [],
          running: { 1: 1 },
          filter: FILTER,
          table: TABLE,
          ...{ double: null, clockOffsetMs: null, clockOff: false },
          instances: [
            {
              ...{ instance: INSTANCE, ...shared, lastContactAt: nowMs, workers: [worker], workersLeftOut: 0 },
              ...{ tableName: null, address: "127.0.0.1", clockOffsetMs: null },
            },
          ],
          instancesLeftOut: 0,
        },
      ],
      unauthenticated: [],
      clockOfMostMs: null,
      cursor: null,
    });
    await plane.watches.stop();
    expect((await held).status).toBe(200);
  });

  it("an edge's last report is that of the worker that lags, until that worker is gone", async () => {
    const plane = await startTestControlPlane();
    const lastReport = async (): Promise<unknown> => {
      const { body } = await plane.call("GET", "/v1/edges");
      const [edge] = (body as { edges: { lastReportAt: number; instances: { lastReportAt: number }[] }[] }).edges;
      return [edge?.lastReportAt, edge?.instances[0]?.lastReportAt];
    };
    await plane.report([], { worker: "lags" });
    const laggedAt = plane.clock.nowMs();
    plane.clock.advance(GONE_AFTER_MS - 1);
    await plane.report([], { worker: "fresh" });
    const freshAt = plane.clock.nowMs();
    expect(await lastReport()).toEqual([laggedAt, laggedAt]);
    plane.clock.advance(1);
    expect(await lastReport()).toEqual([freshAt, freshAt]);
    plane.clock.advance(GONE_AFTER_MS - 1);
    plane.ports.instances.acquired({ edge: "gw-1", instance: INSTANCE });
    plane.clock.advance(1);
    expect(await lastReport()).toEqual([freshAt, freshAt]);
  });

  it("an edge that is gone is in neither the list nor the metrics", async () => {
    const plane = await startTestControlPlane();
    const held = watch(plane, await saying(plane, "rejected"));
    await expect.poll(() => plane.watches.heldCount()).toBe(1);
    expect((await plane.call("GET", "/v1/edges")).body).toMatchObject({ edges: [{ edge: "gw-1", state: "rejected" }] });
    expect((await plane.status("/metrics")).text).toContain('sluice_control_edges{state="rejected"} 1');
    await plane.watches.stop();
    await held;
    plane.clock.advance(GONE_AFTER_MS - 1);
    expect((await plane.call("GET", "/v1/edges")).body).toMatchObject({ edges: [{ edge: "gw-1", state: "silent" }] });
    plane.clock.advance(1);
    expect((await plane.call("GET", "/v1/edges")).body).toMatchObject({ edges: [] });
    expect((await plane.status("/metrics")).text).toContain('sluice_control_edges{state="rejected"} 0');
  });

  it("GET /v1/edges lists at most 100 callers whose secret differs, by claimed name and address", async () => {
    const plane = await startTestControlPlane();
    const call = (claimed?: string) =>
      plane.call("POST", "/edge/v1/watch", {}, "wrong", claimed === undefined ? {} : { "x-sluice-edge": claimed });
    expect((await call("gw-1")).status).toBe(401);
    plane.clock.advance(5);
    await call("gw-1");
    await call();
    const [firstAt, lastAt] = [plane.clock.nowMs() - 5, plane.clock.nowMs()];
    expect((await plane.call("GET", "/v1/edges")).body).toEqual({
      edges: [],
      unauthenticated: [
        { claimedEdge: "", address: "127.0.0.1", calls: 1, firstAt: lastAt, lastAt },
        { claimedEdge: "gw-1", address: "127.0.0.1", calls: 2, firstAt, lastAt },
      ],
      clockOfMostMs: null,
      cursor: null,
    });
    for (let i = 0; i < 100; i++) await call(`other-${i}`);
    const { body } = await plane.call("GET", "/v1/edges");
    const claimed = (body as { unauthenticated: { claimedEdge: string }[] }).unauthenticated;
    expect([claimed.length, claimed[0]?.claimedEdge, claimed[99]?.claimedEdge]).toEqual([100, "other-99", "other-0"]);
    expect((await plane.status("/metrics")).text).toContain("sluice_control_edge_calls_unauthenticated_total 103");
  });

  it("the metrics show edges, watches and the propagation of revocations", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const { log, ...said } = await saying(plane);
    const held = watch(plane, { ...said, log });
    await expect.poll(() => plane.watches.heldCount()).toBe(1);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    expect((await held).body).toEqual({ log, cursor: 1, revoked: [session.id], refresh: [] });
    plane.clock.advance(40);
    const hash = plane.policies.published("gw-1")?.hash;
    await plane.report([], { worker: WORKER, policy: { source: "control-plane", generation: 1, hash } });
    const next = watch(plane, { ...said, log, since: 1 });
    await expect.poll(() => plane.watches.heldCount()).toBe(1);
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_edges{state="current"} 1');
    expect(text).toContain('sluice_control_edge_running_generation{edge="gw-1"} 1');
    expect(text).toContain('sluice_control_edge_log_lag{edge="gw-1"} 0');
    expect(text).toContain("sluice_control_watches_held 1");
    expect(text).toContain('sluice_control_watches_total{outcome="entries"} 1');
    expect(text).toContain("sluice_control_revocation_propagation_seconds_sum 0.04");
    expect(text).toContain("sluice_control_revocation_propagation_seconds_count 1");
    await plane.watches.stop();
    await next;
  });
});
