// Spans of a real control plane at a collector, its lines with the same ids, and a collector that is of no use.
import { describe, expect, it } from "vitest";

import { deriveKeys } from "../../src/domain/keys.js";
import { Collector } from "../support/collector.js";
import type { Answer, CollectedSpan } from "../support/collector.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn } from "../support/process.js";
import { until } from "../support/until.js";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const SAMPLED = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: "rojo=1" };
const NOT_SAMPLED = { traceparent: `00-${TRACE}-${PARENT}-00` };
const EDGE = `Bearer ${deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential}`;
const CREDENTIAL = "a-credential-for-the-collector";
const SOON = { OTEL_BSP_SCHEDULE_DELAY: "50" };
/** Longer than any test. */
const FOR_EVER = { OTEL_EXPORTER_OTLP_TIMEOUT: "600000", OTEL_BSP_EXPORT_TIMEOUT: "600000" };
const BODY = JSON.stringify({ userId: "user-1", orgId: "org-1" });
type Headers = Readonly<Record<string, string>>;

function call(url: string, path: string, body: string, headers: Headers, method = "POST"): Promise<Response> {
  const json: Headers = body === "" ? {} : { "content-type": "application/json" };
  return fetch(`${url}${path}`, { method, headers: { ...json, ...headers }, ...(body !== "" && { body }) });
}

async function create(url: string, headers: Headers = {}): Promise<string> {
  const answer = await call(url, "/v1/sessions", BODY, { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { session: { id: string } }).session.id;
}

const acquire = (url: string, session: string, headers: Headers = {}, edge = EDGE): Promise<Response> => {
  const body = JSON.stringify({ edge: "gw-1", instance: "00112233aabbccdd", session });
  return call(url, "/edge/v1/acquire", body, { authorization: edge, "x-sluice-edge": "gw-1", ...headers });
};

async function started(settings: Headers): Promise<{ plane: ControlPlaneProcess; url: string }> {
  const plane = new ControlPlaneProcess({ ...settingsIn(), ...settings });
  return { plane, url: await plane.listening() };
}

const linesOf = (plane: ControlPlaneProcess, event: string): Record<string, unknown>[] =>
  plane.stdout
    .split("\n")
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function one(collector: Collector, name: string): Promise<CollectedSpan> {
  await until(() => {
    expect(collector.named(name)).toHaveLength(1);
    return Promise.resolve();
  });
  const [span] = collector.named(name);
  if (span === undefined) throw new Error(`no span ${name}`);
  return span;
}

async function counted(plane: ControlPlaneProcess, outcome: string): Promise<number> {
  const text = await (await fetch(`${await plane.status()}/metrics`)).text();
  return Number(new RegExp(`^sluice_control_spans_total\\{outcome="${outcome}"\\} (\\d+)$`, "m").exec(text)?.[1]);
}

describe("traces of the control plane", () => {
  it("a call of an edge or of the API is a span of its caller's trace, with the store's under it", async () => {
    const collector = await Collector.start();
    const headers = `authorization=Bearer%20${CREDENTIAL}`;
    const named = { OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test%2Cone,service.instance.id=plane-7" };
    const { plane, url } = await started({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: headers,
      SLUICE_LOG_LEVEL: "debug",
      ...named,
      ...SOON,
    });
    const session = await create(url);
    const answer = await acquire(url, session, { ...SAMPLED, "x-request-id": "from-envoy" });
    expect([answer.status, answer.headers.get("x-request-id")]).toEqual([200, "from-envoy"]);

    const span = await one(collector, "POST /edge/v1/acquire");
    expect(span).toMatchObject({ traceId: TRACE, parentId: PARENT, kind: 2, status: 0, traceState: "rojo=1" });
    expect(span.attributes).toEqual({
      "http.request.method": "POST",
      "http.route": "/edge/v1/acquire",
      "http.response.status_code": 200,
      "url.scheme": "http",
      "url.path": "/edge/v1/acquire",
      "sluice.request.id": "from-envoy",
      "sluice.edge": "gw-1",
    });
    const store = await one(collector, "store session");
    expect(store).toMatchObject({ traceId: TRACE, parentId: span.spanId, kind: 1 });
    expect(store.attributes).toEqual({ "db.system.name": "lmdb", "sluice.store.update": "session" });

    const root = await one(collector, "POST /v1/sessions");
    expect(root.parentId).toBe("");
    expect(root.resource).toMatchObject({
      "service.name": "sluice-control-plane",
      "service.version": expect.stringMatching(/^\d+\.\d+/) as string,
      "service.instance.id": "plane-7",
      "deployment.environment.name": "test,one",
    });
    const lines = linesOf(plane, "request");
    expect(lines.map(({ requestId, traceId, spanId }) => [requestId, traceId, spanId])).toEqual([
      [root.attributes["sluice.request.id"], root.traceId, root.spanId],
      ["from-envoy", TRACE, span.spanId],
    ]);
    expect(collector.headers[0]?.authorization).toBe(`Bearer ${CREDENTIAL}`);
    expect(plane.stdout).not.toContain(CREDENTIAL);
    expect(await counted(plane, "sent")).toBeGreaterThan(0);
  });

  it("a caller who is not let in, or keeps no spans, has none, and no path shows a token", async () => {
    const collector = await Collector.start();
    const { url } = await started({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`, ...SOON });
    const session = await create(url, NOT_SAMPLED);
    expect((await acquire(url, session, SAMPLED, "Bearer wrong")).status).toBe(401);
    const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const pasted = "AQ".repeat(24);
    await call(url, `/v1/sessions/${pasted}`, "", bearer, "GET");
    await call(url, `/v1/sessions/${session}`, "", bearer, "GET");
    await until(() => {
      expect(collector.spans).toHaveLength(2);
      return Promise.resolve();
    });
    expect(collector.spans.map(({ attributes }) => attributes["url.path"])).toEqual([
      "/v1/sessions/:id",
      `/v1/sessions/${session}`,
    ]);
    expect(JSON.stringify(collector.spans)).not.toContain(pasted);
  });

  it("a commit of many reports is linked with each of them, and each is a trace of its own", async () => {
    const collector = await Collector.start();
    const { url } = await started({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...SOON });
    const session = await create(url);
    await acquire(url, session);
    const report = (worker: string, rev: number): Promise<Response> => {
      const usage = [[session, rev, rev, 5_000_000, 0]];
      const body = { edge: "gw-1", instance: "00112233aabbccdd", worker, usage, more: false };
      return call(url, "/edge/v1/report", JSON.stringify(body), { authorization: EDGE });
    };
    const answers = await Promise.all(Array.from({ length: 20 }, (_, nth) => report(String(nth), nth + 1)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await until(() => {
      expect(collector.named("POST /edge/v1/report")).toHaveLength(20);
      return Promise.resolve();
    });
    const reports = collector.named("POST /edge/v1/report");
    expect(new Set(reports.map(({ traceId }) => traceId)).size).toBe(20);
    const commits = collector.named("store report");
    const told = commits.flatMap(({ parentId, links }) => [parentId, ...links]);
    expect(told.sort()).toEqual(reports.map(({ spanId }) => spanId).sort());
  });

  it("nobody is called without an endpoint, and lines carry the caller's trace", async () => {
    const collector = await Collector.start();
    const off = { OTEL_TRACES_SAMPLER: "nonsense", OTEL_EXPORTER_OTLP_HEADERS: "x=y", SLUICE_LOG_LEVEL: "debug" };
    const { plane, url } = await started({ ...off, ...SOON });
    await create(url, { ...SAMPLED, "x-request-id": "mine" });
    await until(() => {
      const [line] = linesOf(plane, "request");
      expect(line).toMatchObject({ requestId: "mine", traceId: TRACE });
      expect(line).not.toHaveProperty("spanId");
      return Promise.resolve();
    });
    expect(collector.connections).toBe(0);
  });

  it.each<[string, Answer | "down", string]>([
    ["is down", "down", "ECONNREFUSED"],
    ["hangs", () => undefined, "Request timed out"],
    ["fails", (_, response) => void response.writeHead(500).end("a secret"), "it answered 500"],
    ["talks nonsense", (request) => void request.socket.end("nonsense\r\n\r\n"), "HPE_INVALID_CONSTANT"],
  ])("a collector that %s has one line that says so, and the end is in time", async (_, answer, reason) => {
    const collector = await Collector.start(answer === "down" ? undefined : answer);
    const endpoint = answer === "down" ? "http://127.0.0.1:9" : collector.url;
    const { plane, url } = await started({
      OTEL_EXPORTER_OTLP_TIMEOUT: "300",
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      ...SOON,
    });
    await create(url);
    expect(await plane.logLine("spans-not-sent")).toMatchObject({ reason });
    const failed = await counted(plane, "failed");
    expect(failed).toBeGreaterThan(0);
    await create(url);
    await until(async () => {
      expect(await counted(plane, "failed")).toBeGreaterThan(failed);
    });
    expect(linesOf(plane, "spans-not-sent")).toHaveLength(1);
    expect(plane.stdout).not.toContain("a secret");
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: 0, signal: null });
  });

  it("no request waits for a collector that never answers, and neither does the end", async () => {
    const calls = { begun: 0, over: 0 };
    const collector = await Collector.start(neverAnswering(calls));
    const { plane, url } = await started({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...FOR_EVER, ...SOON });
    await create(url);
    await until(() => {
      expect(calls.begun).toBe(1);
    });
    for (let nth = 0; nth < 20; nth++) await create(url);
    expect(calls).toEqual({ begun: 1, over: 0 });
    expect([await counted(plane, "sent"), await counted(plane, "failed")]).toEqual([0, 0]);
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: 0, signal: null });
  });

  it("spans beyond those that may wait are dropped, and a line says so", async () => {
    const collector = await Collector.start(neverAnswering({ begun: 0, over: 0 }));
    // A batch goes when it is full, and not before.
    const full = { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "2", OTEL_BSP_SCHEDULE_DELAY: "600000" };
    const few = { OTEL_BSP_MAX_QUEUE_SIZE: "4", ...full };
    const { plane, url } = await started({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...few, ...FOR_EVER });
    for (let nth = 0; nth < 10; nth++) await create(url);
    expect(await plane.logLine("spans-not-sent")).toMatchObject({ reason: "too many wait" });
    // Two spans a session: those of the call under way, those that wait, and the rest.
    await until(async () => {
      expect(await counted(plane, "dropped")).toBe(20 - 2 - 4);
    });
    expect(linesOf(plane, "spans-not-sent")).toHaveLength(1);
  });
});

/** Each call stays open until its other side closes it. */
function neverAnswering(calls: { begun: number; over: number }): Answer {
  return (_, response) => {
    calls.begun += 1;
    response.once("close", () => (calls.over += 1));
  };
}

describe("settings of tracing that cannot be used", () => {
  it.each([
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", 'expected one of http/protobuf, got "grpc"'],
    ["OTEL_TRACES_SAMPLER", "jaeger_remote", "expected one of always_on, "],
    ["OTEL_EXPORTER_OTLP_HEADERS", "s3cret-without-a-name", "expected name=value pairs"],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://user:s3cret@127.0.0.1:4318", "expected a URL without a user"],
    ["OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem", "/nowhere/ca.pem cannot be used: ENOENT"],
  ])("%s=%s ends the start with 78, and no secret is shown", async (name, value, said) => {
    const plane = new ControlPlaneProcess({
      ...settingsIn(),
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
      [name]: value,
    });
    expect(await plane.ended).toEqual({ code: 78, signal: null });
    expect(plane.stderr).toContain(`${name}: ${said}`);
    expect(plane.stdout + plane.stderr).not.toContain("s3cret");
  });
});
