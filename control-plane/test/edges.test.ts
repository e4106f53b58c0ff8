// What an operator sees of edges: which policy each really runs, and how far it is behind the log.
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";

import { EdgeInstances, GONE_AFTER_MS } from "../src/app/edge-instances.js";
import { edgesNow } from "../src/app/edges.js";
import type { EdgeView } from "../src/app/edges.js";
import { Rollout } from "../src/app/rollout.js";
import { startXdsServer } from "../src/xds/server.js";
import { created, INSTANCE, ISSUER_TOKEN, KEYS, startTestControlPlane } from "./support/control-plane.js";
import type { TestControlPlane } from "./support/control-plane.js";
import { FixedClock } from "./support/fixed-clock.js";
import { MemoryLog } from "./support/memory-log.js";
import { nobodyHangsUp, request, settled, watchingMemory } from "./support/watching.js";
import { EnvoyStream, extensionConfig } from "./xds-client.js";

const FIRST = "1111111111111111";
const SECOND = "2222222222222222";

const noPolicy = { current: () => undefined };

/** An edge `gw-1` with one stream, whose filter says what a test lets it say. */
function oneEdge() {
  const { watches, instances, clock, log } = watchingMemory();
  const rollout = new Rollout(clock);
  rollout.connected("gw-1");
  const push = (generation: number) => ({ generation, version: `${generation}.0123456789ab.0` });
  const view = async (): Promise<EdgeView | undefined> =>
    (await edgesNow({ rollout, instances, watches, log, policies: noPolicy, clock }))[0];
  const says = async (generation: number, policyHash: string, instance = INSTANCE): Promise<void> => {
    void watches.watch(request({ generation, policyHash, instance, log: log.id }), nobodyHangsUp());
    await settled();
  };
  return { rollout, clock, log, push, view, says };
}

describe("an edge's rollout", () => {
  it("is unknown before anything was pushed", async () => {
    const { view } = oneEdge();
    expect(await view()).toMatchObject({
      edge: "gw-1",
      state: "unknown",
      sent: null,
      acknowledged: null,
      running: null,
    });
  });

  it("is applied once the filter says that it runs what was pushed, and not when Envoy acknowledges it", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(1), FIRST);
    expect(await view()).toMatchObject({ state: "waiting", sent: 1 });
    rollout.accepted("gw-1", 1);
    expect(await view()).toMatchObject({ state: "accepted", acknowledged: 1, running: null });
    clock.advance(1);
    await says(1, FIRST);
    expect(await view()).toMatchObject({ state: "applied", running: 1, watching: true });
  });

  it("is not applied while the filter runs another policy that Envoy says it has replaced", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(1), FIRST);
    rollout.accepted("gw-1", 1);
    await says(1, FIRST);
    rollout.sent("gw-1", push(2), SECOND);
    rollout.accepted("gw-1", 2);
    expect(await view()).toMatchObject({ state: "accepted", acknowledged: 2, running: 1 });
    clock.advance(1);
    await says(1, FIRST);
    expect(await view()).toMatchObject({ state: "notApplied", acknowledged: 2, running: 1 });
  });

  it("is not applied by the same generation with other bytes", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(1), FIRST);
    rollout.accepted("gw-1", 1);
    clock.advance(1);
    await says(1, SECOND);
    expect(await view()).toMatchObject({ state: "notApplied" });
  });

  it("shows a refusal with Envoy's reason, and what runs meanwhile", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(1), FIRST);
    rollout.accepted("gw-1", 1);
    await says(1, FIRST);
    rollout.sent("gw-1", push(2), SECOND);
    rollout.refused("gw-1", push(2), "no such plan");
    const refused = { generation: 2, reason: "no such plan", atMs: clock.nowMs() };
    expect(await view()).toMatchObject({ state: "refused", sent: 2, acknowledged: 1, running: 1, refused });
  });

  it("goes by the instance that spoke last, as in a hot restart", async () => {
    const { rollout, clock, push, view, says } = oneEdge();
    rollout.sent("gw-1", push(2), SECOND);
    rollout.accepted("gw-1", 2);
    await says(1, FIRST, "a".repeat(16));
    clock.advance(1);
    await says(2, SECOND, "b".repeat(16));
    const shown = await view();
    expect(shown).toMatchObject({ state: "applied", running: 2 });
    expect(shown?.instances.map(({ generation }) => generation)).toEqual([1, 2]);
  });

  it("is remembered for a few pushes only", () => {
    const { rollout, push } = oneEdge();
    for (let generation = 1; generation <= 100; generation++) rollout.sent("gw-1", push(generation), FIRST);
    expect(rollout.edge("gw-1")?.pushed).toHaveLength(8);
  });
});

describe("an edge's lag", () => {
  it("is what its table is not marked for, of the log that it follows", async () => {
    const { log, view, says } = oneEdge();
    await says(1, FIRST);
    expect((await view())?.lag).toBe(0);
    log.append("revoked", "a", 0);
    log.append("refresh", "b", 0);
    await says(1, FIRST);
    expect((await view())?.instances).toMatchObject([{ lag: 2 }]);
  });

  it("is not known of an edge that follows another log", async () => {
    const clock = new FixedClock();
    const watches = { lastOf: () => ({ ...request({ log: "f".repeat(16) }), atMs: 1 }) };
    const instances = new EdgeInstances(clock);
    instances.acquired({ edge: "gw-1", instance: INSTANCE });
    const parts = { rollout: new Rollout(clock), log: new MemoryLog(), policies: noPolicy };
    const [view] = await edgesNow({ ...parts, instances, watches, clock });
    expect(view).toMatchObject({ edge: "gw-1", streams: 0, lag: null });
  });
});

describe("what was pushed", () => {
  const policies = {
    published: () => ({ generation: 3, pushedJson: (revision: string) => JSON.stringify({ revision, name: "ü" }) }),
    subscribe: () => () => undefined,
  };

  async function served() {
    const rollout = new Rollout(new FixedClock());
    const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const server = await startXdsServer({
      host: "127.0.0.1",
      port: 0,
      tls: null,
      policies,
      rollout,
      edgeCredentials: ["credential"],
      filterPath: "/sluice.wasm",
      logger: quiet,
      random: { bytes: (n) => randomBytes(n) },
      counters: { count: () => undefined },
    });
    const envoy = new EnvoyStream(server.port, "Bearer credential");
    onTestFinished(async () => {
      envoy.close();
      await server.close();
    });
    return { rollout, envoy };
  }

  it("is named by the hash over the very bytes that the filter is configured with", async () => {
    const { rollout, envoy } = await served();
    envoy.subscribe();
    const { value } = extensionConfig(await envoy.next());
    const { config } = value as { config: { configuration: { value: string } } };
    const hash = createHash("sha256").update(config.configuration.value).digest("hex").slice(0, 16);
    expect(rollout.edge("gw-1")?.pushed).toEqual([{ generation: 3, policyHash: hash }]);
  });

  it("is known again when an Envoy comes back with it after the control plane's restart", async () => {
    const before = await served();
    before.envoy.subscribe();
    const response = await before.envoy.next();
    const after = await served();
    after.envoy.subscribe(response.version_info);
    await expect.poll(() => after.rollout.edge("gw-1")?.pushed).toEqual(before.rollout.edge("gw-1")?.pushed);
    expect(after.rollout.edge("gw-1")).toMatchObject({ running: 3, sent: null });
  });
});

describe("GET /v1/edges", () => {
  const watch = (plane: TestControlPlane, fields: object) =>
    plane.call(
      "POST",
      "/edge/v1/watch",
      { edge: "gw-1", instance: INSTANCE, since: 0, generation: 1, policyHash: FIRST, ...fields },
      KEYS.edgeCredential,
    );

  it("shows an edge with its instances, to issuers too", async () => {
    const plane = await startTestControlPlane();
    plane.rollout.connected("gw-1");
    plane.rollout.sent("gw-1", { generation: 1, version: "1.0123456789ab.0" }, FIRST);
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
          instances: [{ ...instance, generation: 1, policyHash: FIRST, lag: 0 }],
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
    plane.clock.advance(GONE_AFTER_MS);
    expect(await lastReport()).toEqual([freshAt, freshAt]);
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

describe("POST /edge/v1/watch", () => {
  const good = { edge: "gw-1", instance: INSTANCE, log: "1".repeat(16), since: 0, generation: 1, policyHash: FIRST };

  it("is for edges", async () => {
    const plane = await startTestControlPlane();
    expect((await plane.call("POST", "/edge/v1/watch", good)).status).toBe(401);
  });

  it("tells an edge of another log to begin anew", async () => {
    const plane = await startTestControlPlane();
    const answer = await plane.call("POST", "/edge/v1/watch", { ...good, later: 1 }, KEYS.edgeCredential);
    expect([answer.status, answer.body]).toEqual([200, { reset: true, ...(await plane.store.position()) }]);
  });

  it("answers 400 for anything that no filter sends", async () => {
    const plane = await startTestControlPlane();
    for (const fields of [
      { log: "1" },
      { log: "A".repeat(16) },
      { since: -1 },
      { since: "0" },
      { policyHash: "" },
      { edge: "" },
    ]) {
      const answer = await plane.call("POST", "/edge/v1/watch", { ...good, ...fields }, KEYS.edgeCredential);
      expect([answer.status, Object.keys(fields)]).toEqual([400, Object.keys(fields)]);
    }
  });

  it("answers 503 when no more watches are held", async () => {
    const plane = await startTestControlPlane();
    await plane.watches.stop();
    const { log } = await plane.store.position();
    const answer = await plane.call("POST", "/edge/v1/watch", { ...good, log }, KEYS.edgeCredential);
    expect([answer.status, answer.body]).toMatchObject([503, { error: { code: "NOT_READY" } }]);
  });
});
