// Callers that hang up before their answer: what the control plane says of their calls.
import { connect } from "node:net";
import type { Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";

import { readSettings } from "../../src/settings/settings.js";
import { MemoryStore } from "../../src/store/memory/store.js";
import { otlpSpans } from "../../src/tracing/otlp-spans.js";
import { RequestScopes } from "../../src/tracing/request-scopes.js";
import { tracedStore } from "../../src/tracing/traced-store.js";
import { Collector } from "../support/collector.js";
import { created, INSTANCE, KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";
import { FixedClock } from "../support/fixed-clock.js";
import { quiet } from "../support/quiet-logger.js";
import { withVerbs } from "../support/store-verbs.js";
import { until } from "../support/until.js";

async function spansTo(collector: Collector) {
  const settings = readSettings({
    SLUICE_SECRET: "4f".repeat(32),
    SLUICE_ADMIN_TOKEN: "0123456789abcdef",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: "20",
  });
  if ("violations" in settings || settings.tracing === null) throw new Error("no tracing");
  const parts = { clock: new FixedClock(), logger: quiet, counted: () => undefined, tls: {}, resource: {} };
  const { spans, end } = await otlpSpans(settings.tracing, parts);
  onTestFinished(end);
  return spans;
}

/** A control plane whose commits wait until `go`, with one session. */
async function heldPlane() {
  const collector = await Collector.start();
  const [requests, spans] = [new RequestScopes(), await spansTo(collector)];
  const memory = new MemoryStore();
  const store = withVerbs(tracedStore(memory, { requests, spans, engine: "memory" }));
  const plane = await startTestControlPlane(store, { requests, spans });
  const { session } = await created(plane);
  let go: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (go = resolve));
  const committing = { held: 0, over: 0, on: [] as string[] };
  memory.betweenLoadAndCommit = async () => {
    committing.held += 1;
    await released;
    committing.on.push(...requests.current().map(({ requestId }) => requestId));
    committing.over += 1;
  };
  return { plane, collector, id: session.id, committing, go };
}

function callOf(session: string, requestId: string): string {
  const body = JSON.stringify({ edge: "gw-1", instance: INSTANCE, session });
  const head = [
    "POST /edge/v1/acquire HTTP/1.1",
    "host: control-plane",
    `authorization: Bearer ${KEYS.edgeCredential}`,
    `x-request-id: ${requestId}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

const caller = ({ url }: TestControlPlane, bytes: string): Socket => {
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(bytes));
  onTestFinished(() => void socket.destroy());
  return socket;
};

const linesOf = (plane: TestControlPlane, event: string): Record<string, unknown>[] =>
  plane
    .logged()
    .split("\n")
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function timed({ status }: TestControlPlane): Promise<number> {
  const { text } = await status("/metrics");
  return Number(/^sluice_control_edge_call_duration_seconds_count\{call="acquire"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

it("a call whose caller hangs up has a span, a duration and a line, before its commit is made", async () => {
  const { plane, collector, id, committing, go } = await heldPlane();
  const socket = caller(plane, callOf(id, "hung-up"));
  await until(() => {
    expect(committing.held).toBe(1);
  });
  expect(await timed(plane)).toBe(0);
  socket.destroy();

  await until(() => {
    expect(collector.named("POST /edge/v1/acquire")).toHaveLength(1);
  });
  const [span] = collector.named("POST /edge/v1/acquire");
  expect(span).toMatchObject({ status: 2, attributes: { "error.type": "client_closed" } });
  expect(span?.attributes).not.toHaveProperty("http.response.status_code");
  expect(await timed(plane)).toBe(1);
  const line = { level: "debug", requestId: "hung-up", spanId: span?.spanId, route: "/edge/v1/acquire" };
  expect(linesOf(plane, "request-hung-up")).toMatchObject([{ ...line, durationMs: expect.any(Number) as number }]);

  go();
  await until(() => {
    expect(committing.over).toBe(1);
  });
  await until(() => {
    expect(collector.named("store session").map(({ parentId }) => parentId)).toContain(span?.spanId);
  });
  // What goes on is nobody's, and the answer that nobody gets says nothing more.
  expect(committing.on).toEqual([]);
  expect(await timed(plane)).toBe(1);
  expect(collector.named("POST /edge/v1/acquire")).toHaveLength(1);
  expect(linesOf(plane, "request").map(({ requestId }) => requestId)).not.toContain("hung-up");
});

it("each call that waits behind another one on its connection ends with it too", async () => {
  const { plane, id, committing, go } = await heldPlane();
  const socket = caller(plane, callOf(id, "first") + callOf(id, "second"));
  await until(() => {
    expect(committing.held).toBeGreaterThan(0);
  });
  socket.destroy();
  await until(() => {
    expect(linesOf(plane, "request-hung-up").map(({ requestId }) => requestId)).toEqual(["first", "second"]);
  });
  expect(await timed(plane)).toBe(2);
  go();
});

it("a call that is answered is said once, also when its connection closes after it", async () => {
  const { plane, collector, id, go } = await heldPlane();
  go();
  const socket = caller(plane, callOf(id, "answered"));
  await new Promise((resolve) => socket.once("data", resolve));
  socket.destroy();
  await until(() => {
    expect(collector.named("POST /edge/v1/acquire")).toHaveLength(1);
  });
  await plane.app.close();
  expect(linesOf(plane, "request").map(({ requestId }) => requestId)).toContain("answered");
  expect(linesOf(plane, "request-hung-up")).toEqual([]);
  expect(await timed(plane)).toBe(1);
});
