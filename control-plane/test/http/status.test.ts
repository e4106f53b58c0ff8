// What a supervisor and a Prometheus see: alive, ready, metrics, on a listener of their own.
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import Fastify from "fastify";
import { Registry } from "prom-client";
import { describe, expect, it, onTestFinished } from "vitest";

import type { HttpApp } from "../../src/http/app.js";
import { ERRORS } from "../../src/http/errors.js";
import { Readiness } from "../../src/http/status/readiness.js";
import { Metrics } from "../../src/http/status/metrics.js";
import { STATUS_PATHS, statusRoutes } from "../../src/http/status/status-routes.js";
import { STATUS_CONNECTIONS } from "../../src/http/status/status-server.js";
import { observeStore } from "../../src/http/status/store-metrics.js";
import { created, expectError, startTestControlPlane } from "../support/control-plane.js";
import { HOUR_MS } from "../support/sessions.js";
import { sitDownEach } from "../support/sitting.js";
import { until } from "../support/until.js";

describe("health", () => {
  it("GET /healthz is 200 without any credential", async () => {
    const { status } = await startTestControlPlane();
    expect(await status("/healthz")).toMatchObject({ status: 200, body: { status: "alive" } });
  });

  it("GET /readyz is 200 once a policy is loaded and the store answers", async () => {
    const plane = await startTestControlPlane();
    expect((await plane.status("/readyz")).body).toEqual({ status: "ready" });
    plane.setPlans();
    expectError(await plane.status("/readyz"), "NO_POLICY");
  });

  it("GET /readyz is 503 when the store fails, and /healthz stays 200", async () => {
    const plane = await startTestControlPlane();
    const failing = [
      () => Promise.reject(new Error("closed")),
      () => {
        throw new Error("closed");
      },
    ];
    for (const position of failing) {
      plane.store.position = position;
      expect(expectError(await plane.status("/readyz"), "NOT_READY")).toBe("The store does not answer");
    }
    expect((await plane.status("/healthz")).status).toBe(200);
  });

  it("GET /readyz says why the store does not answer, where the store knows", async () => {
    const plane = await startTestControlPlane();
    plane.store.position = () => Promise.reject(new Error("closed"));
    plane.store.health.unwritable = () => "it has lost its data";
    const why = "The store does not answer: it has lost its data";
    expect(expectError(await plane.status("/readyz"), "NOT_READY")).toBe(why);
  });

  it("GET /readyz is 503 after half a second, and why, when the store hangs; /healthz stays 200", async () => {
    const plane = await startTestControlPlane();
    plane.store.position = () => new Promise(() => undefined);
    const before = plane.timers.pending;
    const answer = plane.status("/readyz");
    await until(() => {
      expect(plane.timers.pending).toBe(before + 1);
    });
    expect((await plane.status("/healthz")).status).toBe(200);
    plane.timers.advance(500);
    const why = "The store does not answer: it takes longer than 500 ms";
    expect(expectError(await answer, "NOT_READY")).toBe(why);
  });

  it("GET /readyz leaves no timer behind when the store answers", async () => {
    const plane = await startTestControlPlane();
    const before = plane.timers.pending;
    for (let i = 0; i < 5; i++) await plane.status("/readyz");
    expect(plane.timers.pending).toBe(before);
  });

  it("GET /readyz is 503 and names the step while the control plane starts, and while it stops", async () => {
    const plane = await startTestControlPlane();
    const timers = plane.timers;
    const starting = new Readiness(timers);
    expect(await starting.denial()).toEqual(["NOT_READY", { message: "The control plane is starting" }]);
    starting.startsWith("the store is being opened");
    const message = "The control plane is starting: the store is being opened";
    expect(await starting.denial()).toEqual(["NOT_READY", { message }]);
    plane.readiness.stopping();
    expect(expectError(await plane.status("/readyz"), "NOT_READY")).toBe("The control plane is stopping");
    expect((await plane.status("/healthz")).status).toBe(200);
  });
});

describe("the status listener", () => {
  it("the status listener has its three paths and nothing of the API", async () => {
    const plane = await startTestControlPlane();
    for (const path of STATUS_PATHS) expect((await plane.status(path)).status).toBe(200);
    for (const path of ["/", "/openapi.json", "/v1/sessions", "/edge/v1/watch", "/healthz/", "/HEALTHZ"]) {
      expectError(await plane.status(path), "ROUTE_NOT_FOUND");
    }
  });

  it("the status listener takes HEAD like GET, and no other method", async () => {
    const { statusUrl } = await startTestControlPlane();
    for (const path of STATUS_PATHS) {
      const head = await fetch(statusUrl + path, { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
        const answer = await fetch(statusUrl + path, { method });
        const said = { status: answer.status, body: await answer.json() };
        expect(expectError(said, "METHOD_NOT_ALLOWED")).toBe("This route takes GET, HEAD");
      }
    }
  });

  it.each([
    ["a length", "content-length: 1000000000\r\n"],
    ["no length", "transfer-encoding: chunked\r\n"],
  ])("the status listener denies a body of %s unread, and ends the connection", async (_what, header) => {
    const { statusUrl } = await startTestControlPlane();
    for (const method of ["GET", "POST"]) {
      const said = await rawAnswer(statusUrl, `${method} /metrics HTTP/1.1\r\nhost: x\r\n${header}\r\n`);
      expect(said).toMatch(/^HTTP\/1\.1 413 [^]*\r\nconnection: close\r\n[^]*"code":"BODY_TOO_LARGE"/i);
    }
  });

  it("the status listener takes a query that is readable, as the API does", async () => {
    const { status } = await startTestControlPlane();
    expect((await status("/healthz?from=kubelet")).status).toBe(200);
    expectError(await status("/healthz?%ff"), "INVALID_REQUEST");
  });

  it("the status listener counts and answers what is no HTTP in the one form of errors", async () => {
    const plane = await startTestControlPlane();
    expect(await rawAnswer(plane.statusUrl, "nonsense\r\n\r\n")).toContain('"code":"MALFORMED_REQUEST"');
    const { text } = await plane.status("/metrics");
    expect(text).toContain('sluice_control_http_errors_total{code="MALFORMED_REQUEST"} 1');
  });

  it("the API's listener says where health, readiness and metrics are, whoever asks and however", async () => {
    const plane = await startTestControlPlane();
    const { host } = new URL(plane.statusUrl);
    for (const path of STATUS_PATHS) {
      const message = `${path} is on the status listener, ${host} (SLUICE_STATUS_HOST, SLUICE_STATUS_PORT)`;
      expect(expectError(await plane.call("GET", path), "ROUTE_NOT_FOUND")).toBe(message);
      expect(expectError(await plane.call("POST", `${path}?a=b`, undefined, "x"), "ROUTE_NOT_FOUND")).toBe(message);
    }
    expect(expectError(await plane.call("GET", "/metric"), "ROUTE_NOT_FOUND")).toBe(ERRORS.ROUTE_NOT_FOUND.message);
  });

  it("a flood of the status listener takes none of the API's connections, and a probe gets in", async () => {
    const plane = await startTestControlPlane(undefined, {
      connections: { total: 10, unauthenticated: 8, perAddress: 8 },
    });
    const port = Number(new URL(plane.statusUrl).port);
    const sitting = await sitDownEach(port, Array<string>(200).fill("127.0.0.2"));
    expect((await plane.status("/healthz")).status).toBe(200);
    await until(() => {
      expect(sitting.filter(({ closed }) => !closed()).length).toBeLessThan(STATUS_CONNECTIONS.total);
    });
    expect((await plane.call("GET", "/v1/sessions")).status).toBe(200);
    const { text } = await plane.status("/metrics");
    expect(text).toMatch(
      /^sluice_control_connections_dropped_total\{listener="status",reason="unauthenticated"\} 1\d\d$/m,
    );
    expect(text).toContain('sluice_control_connections_dropped_total{listener="api",reason="unauthenticated"} 0');
    expect(plane.logged()).toContain('"event":"connections-dropped","listener":"status"');
  });

  it("callers who ask for the metrics at once share one gathering of them", async () => {
    let gathered = 0;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const metrics = new Metrics(async () => {
      gathered += 1;
      await released;
      return new Map([["starter", gathered]]);
    });
    const app = Fastify() as unknown as HttpApp;
    onTestFinished(() => app.close());
    statusRoutes(app, { metrics, readiness: { denial: () => Promise.resolve(undefined) } });
    const asked = Array.from({ length: 20 }, () => app.inject("/metrics"));
    await until(() => {
      expect(gathered).toBe(1);
    });
    release();
    for (const { body } of await Promise.all(asked)) expect(body).toContain('sessions_active{plan="starter"} 1');
    expect((await app.inject("/metrics")).body).toContain('sessions_active{plan="starter"} 2');
  });
});

/** All that comes back until the server ends the connection. */
async function rawAnswer(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
  });
  socket.write(request);
  return text(socket);
}

describe("a store that cannot be written", () => {
  it("GET /readyz is 503 and says why while the store cannot be written", async () => {
    let why: string | undefined = "the disk is full";
    const { readiness, status, store, policies } = await startTestControlPlane();
    readiness.started({ store, policies, health: { unwritable: () => why } });
    expect(expectError(await status("/readyz"), "NOT_READY")).toBe("The store cannot be written: the disk is full");
    expect((await status("/healthz")).status).toBe(200);
    why = undefined;
    expect((await status("/readyz")).status).toBe(200);
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
    const { text, headers } = await plane.status("/metrics");
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
    expect(names.filter((name) => !/^(sluice_control|sluice_edge|nodejs|process)_/.test(name))).toEqual([]);
  });

  it("the live sessions of each plan are counted, a few seconds late at most", async () => {
    const plane = await startTestControlPlane();
    const { session } = await created(plane);
    await created(plane);
    await created(plane, { plan: "metered" });
    const active = async () => {
      const { text } = await plane.status("/metrics");
      return ["starter", "metered"].map((plan) => text.match(`sessions_active{plan="${plan}"} (\\d+)`)?.[1]);
    };
    expect(await active()).toEqual(["2", "1"]);
    await plane.call("DELETE", `/v1/sessions/${session.id}`);
    plane.clock.advance(5000);
    expect(await active()).toEqual(["1", "1"]);
    plane.clock.advance(HOUR_MS);
    expect(await active()).toEqual(["0", "0"]);
  });

  it("metrics that the store is needed for are left out while it fails, and the others are there", async () => {
    const plane = await startTestControlPlane();
    plane.store.countLive = () => Promise.reject(new Error("closed"));
    const { status, text: said } = await plane.status("/metrics");
    expect([status, said.includes("sluice_control_sessions_active")]).toEqual([200, false]);
    expect(said).toMatch(/^sluice_control_sessions_created_total 0$/m);
  });

  it("the store counts sessions once however often metrics are read", async () => {
    const plane = await startTestControlPlane();
    let counts = 0;
    const countLive = plane.store.countLive.bind(plane.store);
    plane.store.countLive = (...which) => {
      counts += 1;
      return countLive(...which);
    };
    await Promise.all(Array.from({ length: 20 }, () => plane.status("/metrics")));
    expect(counts).toBe(2);
  });
});
