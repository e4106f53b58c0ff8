// What a supervisor and a Prometheus see: alive, ready, metrics.
import { describe, expect, it } from "vitest";

import { Registry } from "prom-client";
import type { StoreHealth } from "../../src/app/ports/store-health.js";
import { observeStore } from "../../src/http/status/store-metrics.js";
import { created, expectError, startTestControlPlane } from "../support/control-plane.js";
import { HOUR_MS } from "../support/sessions.js";

describe("health", () => {
  it("GET /healthz is 200 without any credential", async () => {
    const { url } = await startTestControlPlane();
    const response = await fetch(`${url}/healthz`);
    expect([response.status, await response.json()]).toEqual([200, { status: "alive" }]);
  });

  it("GET /readyz is 200 once a policy is loaded and the store answers", async () => {
    const plane = await startTestControlPlane();
    expect((await plane.call("GET", "/readyz")).body).toEqual({ status: "ready" });
    plane.setPlans();
    expectError(await plane.call("GET", "/readyz"), "NO_POLICY");
  });

  it("GET /readyz is 503 when the store fails, and /healthz stays 200", async () => {
    const plane = await startTestControlPlane();
    plane.store.position = () => Promise.reject(new Error("closed"));
    expectError(await plane.call("GET", "/readyz"), "NOT_READY");
    expect((await plane.call("GET", "/healthz")).status).toBe(200);
  });
});

describe("a store that cannot be written", () => {
  it("GET /readyz is 503 and says why while the store cannot be written", async () => {
    let why: string | undefined = "the disk is full";
    const health: StoreHealth = { unwritable: () => why, look: () => "on", isAtDisk: () => false };
    const plane = await startTestControlPlane(undefined, { health });
    const answer = await plane.call("GET", "/readyz");
    expect(expectError(answer, "NOT_READY")).toBe("The store cannot be written: the disk is full");
    expect((await plane.call("GET", "/healthz")).status).toBe(200);
    why = undefined;
    expect((await plane.call("GET", "/readyz")).status).toBe(200);
  });

  it("a metric is 0 while the store cannot be written", async () => {
    let why: string | undefined = "the disk is full";
    const registry = new Registry();
    observeStore(registry, { unwritable: () => why });
    expect(await registry.metrics()).toContain("sluice_control_store_writable 0");
    why = undefined;
    expect(await registry.metrics()).toContain("sluice_control_store_writable 1");
  });
});

describe("metrics", () => {
  it("metrics have the product's name, and Node's own the names of stock dashboards", async () => {
    const plane = await startTestControlPlane();
    const { text, headers } = await plane.call("GET", "/metrics");
    expect(headers.get("content-type")).toContain("text/plain");
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? "");
    expect(names).toEqual(
      expect.arrayContaining([
        "sluice_control_sessions_active",
        "sluice_control_sessions_created_total",
        "sluice_control_sessions_removed_total",
        "sluice_control_session_duration_seconds",
        "sluice_control_acquires_total",
        "sluice_control_http_errors_total",
        "sluice_control_policy_propagation_seconds",
        "process_cpu_user_seconds_total",
        "nodejs_eventloop_lag_seconds",
      ]),
    );
    expect(names.filter((name) => !/^(sluice_control|nodejs|process)_/.test(name))).toEqual([]);
  });

  it("the live sessions of each plan are counted, a few seconds late at most", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await created(plane);
    await created(plane, { plan: "metered" });
    const active = async () => {
      const { text } = await plane.call("GET", "/metrics");
      return ["starter", "metered"].map((plan) => text.match(`sessions_active{plan="${plan}"} (\\d+)`)?.[1]);
    };
    expect(await active()).toEqual(["2", "1"]);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    plane.clock.advance(5000);
    expect(await active()).toEqual(["1", "1"]);
    plane.clock.advance(HOUR_MS);
    expect(await active()).toEqual(["0", "0"]);
  });

  it("the store counts sessions once however often metrics are read", async () => {
    const plane = await startTestControlPlane();
    let counts = 0;
    const countLive = plane.store.countLive.bind(plane.store);
    plane.store.countLive = (...which) => {
      counts += 1;
      return countLive(...which);
    };
    await Promise.all(Array.from({ length: 20 }, () => plane.call("GET", "/metrics")));
    expect(counts).toBe(2);
  });
});
