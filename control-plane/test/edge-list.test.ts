// Listing edges: GET /v1/edges, and what the metrics say of them.
import { describe, expect, it } from "vitest";

import { GONE_AFTER_MS } from "../src/app/edge-instances.js";
import { created, INSTANCE, ISSUER_TOKEN, KEYS, startTestControlPlane } from "./support/control-plane.js";
import type { TestControlPlane } from "./support/control-plane.js";

const POLICY_HASH = "1111111111111111";

describe("GET /v1/edges", () => {
  const watch = (plane: TestControlPlane, fields: object) =>
    plane.call(
      "POST",
      "/edge/v1/watch",
      { edge: "gw-1", instance: INSTANCE, since: 0, generation: 1, policyHash: POLICY_HASH, ...fields },
      KEYS.edgeCredential,
    );

  it("shows an edge with its instances, to issuers too", async () => {
    const plane = await startTestControlPlane();
    plane.rollout.connected("gw-1");
    plane.rollout.sent("gw-1", { generation: 1, version: "1.0123456789ab.0" }, POLICY_HASH);
    const { log } = await plane.store.position();
    const held = watch(plane, { log });
    await expect.poll(() => plane.watches.heldCount()).toBe(1);
    const answer = await plane.call("GET", "/v1/edges", undefined, ISSUER_TOKEN);
    const nowMs = plane.clock.nowMs();
    const instance = { instance: INSTANCE, watching: true, lastHeardAt: nowMs, lastReportAt: null };
    const edge = { edge: "gw-1", streams: 1, state: "applied", sent: 1, acknowledged: null, running: 1, refused: null };
    expect(answer.body).toEqual({
      edges: [
        {
          ...edge,
          watching: true,
          lastReportAt: null,
          lag: 0,
          instances: [{ ...instance, generation: 1, policyHash: POLICY_HASH, lag: 0 }],
        },
      ],
    });
    await plane.watches.stop();
    expect((await held).status).toBe(200);
  });

  it("shows the last report of the worker that lags, until that one is gone", async () => {
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

  it("and the metrics leave out an edge that is gone, as a replaced pod that had refused its policy", async () => {
    const plane = await startTestControlPlane();
    const push = { generation: 1, version: "1.0123456789ab.0" };
    plane.rollout.connected("gw-1");
    plane.rollout.sent("gw-1", push, POLICY_HASH);
    plane.rollout.refused("gw-1", push, "no such plan");
    plane.ports.instances.acquired({ edge: "gw-1", instance: INSTANCE });
    plane.rollout.disconnected("gw-1");
    plane.clock.advance(GONE_AFTER_MS - 1);
    expect((await plane.call("GET", "/v1/edges")).body).toMatchObject({ edges: [{ edge: "gw-1", state: "refused" }] });
    expect((await plane.call("GET", "/metrics")).text).toContain('sluice_control_edges{state="refused"} 1');
    plane.clock.advance(1);
    expect((await plane.call("GET", "/v1/edges")).body).toEqual({ edges: [] });
    expect((await plane.call("GET", "/metrics")).text).toContain('sluice_control_edges{state="refused"} 0');
  });

  it("stands in the metrics too, with the watches and the propagation of revocations", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    const { log } = await plane.store.position();
    const held = watch(plane, { log });
    await expect.poll(() => plane.watches.heldCount()).toBe(1);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    expect((await held).body).toEqual({ log, cursor: 1, revoked: [session.id], refresh: [] });
    plane.clock.advance(40);
    const next = watch(plane, { log, since: 1 });
    await expect.poll(() => plane.watches.heldCount()).toBe(1);
    const { text } = await plane.call("GET", "/metrics");
    expect(text).toContain('sluice_control_edges{state="unknown"} 1');
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
