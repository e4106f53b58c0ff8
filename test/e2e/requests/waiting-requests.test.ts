// Requests that wait until Envoy has an answer about their session: they share one answer, may leave, and are bounded.
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ClientHttp2Session } from "node:http2";
import { until } from "../../../control-plane/test/support/until.js";
import { useInstallation } from "../harness/installation.js";
import { drive, times } from "../harness/http2-load.js";
import { policyOf } from "../harness/policy.js";
import { open } from "../harness/raw-http1.js";

const WORKERS = 2;
/** Calls that one worker has out at a time, and requests that wait there. */
const CALLS_A_WORKER = 8;
const MAX_WAITING = 1024;
/** Above that, of each connection. */
const EACH_TOO_MANY = 8;

const sluice = useInstallation({
  policy: policyOf([{ name: "default", maxTokens: 10, tokenRefillRate: 0 }], {
    onUnreachable: "trust",
    // So rarely that no report is out while calls are counted.
    controlPlane: { reportInterval: 300_000 },
  }),
});

let connections: ClientHttp2Session[] = [];
beforeAll(async () => {
  connections = await sluice().connect(4);
});
afterEach(() => {
  sluice().controlPlane.resume();
});
afterAll(() => {
  for (const session of connections) session.close();
});

const stat = (name: string) => sluice().envoyAdmin.stat(name);
/** Those that ask for a session. The edge's watch is out all the time. */
const callsOut = async () => (await stat("cluster.sluice_control_plane.upstream_rq_active")) - 1;
const sample = (name: string) => sluice().envoyAdmin.sample(name);
const answered = () => sample('sluice_misses_total{outcome="live"}');

describe("requests that wait for their session", () => {
  it("requests that wait for one session are answered by at most one call a worker", async () => {
    const { token } = await sluice().api.issue();
    const before = await sluice().api.acquires();
    sluice().controlPlane.pause();
    const load = drive({ connections, inFlight: 50, next: times(200, { "x-session-id": token }) });
    await until(async () => {
      expect(await callsOut()).toBe(WORKERS);
    });
    sluice().controlPlane.resume();
    const { statuses, failures } = await load;
    expect(failures).toEqual([]);
    expect(statuses).toEqual({ 200: 10, 429: 190 });
    expect(await sluice().api.acquires()).toBe(before + WORKERS);
  });

  it("a waiting request costs nothing when its client leaves before the answer", async () => {
    const { token } = await sluice().api.issue();
    // What was answered so far has reached the metric.
    const before = await sluice().api.acquires();
    await until(async () => {
      expect(await answered()).toBe(before);
    });
    sluice().controlPlane.pause();
    const socket = await open(sluice().ports.proxy);
    socket.write(`GET / HTTP/1.1\r\nhost: sluice\r\nx-session-id: ${token}\r\n\r\n`);
    await until(async () => {
      expect(await callsOut()).toBe(1);
    });
    socket.destroy();
    await once(socket, "close");
    await until(async () => {
      expect(await stat("http.proxy.downstream_rq_active")).toBe(0);
    });
    sluice().controlPlane.resume();
    await until(async () => {
      expect(await answered()).toBe(before + 1);
    });
    expect((await sluice().send({ token })).headers.ratelimit).toBe('"default";r=9');
  });

  it("requests past those that may wait get 503 at once under trust too, others an answer", async () => {
    // No more than shows it: those that wait do so for 4 s at most, and a slow machine sends for a part of that.
    const flood = WORKERS * MAX_WAITING + 16 * EACH_TOO_MANY;
    const tokens = Array.from({ length: flood }, () => sluice().mint.mint(Date.now()).token);
    const known = await sluice().api.issue();
    expect(await sluice().statuses(known.token, 1)).toEqual([200]);
    sluice().controlPlane.pause();
    const next = () => {
      const token = tokens.pop();
      return token === undefined ? null : { "x-session-id": token };
    };
    // All of it at once, half on each worker.
    const connections = await sluice().connect(16);
    const load = drive({ connections, inFlight: flood / 16, next });
    await until(async () => {
      expect(await sample('sluice_misses_total{outcome="busy"}')).toBe(flood - WORKERS * MAX_WAITING);
    });
    expect(await callsOut()).toBeLessThanOrEqual(WORKERS * CALLS_A_WORKER);
    // A known session is not held up by unknown ones.
    expect(await sluice().statuses(known.token, 1)).toEqual([200]);
    sluice().controlPlane.resume();
    const { statuses, failures } = await load;
    expect(failures).toEqual([]);
    // The control plane knows none of those that it was asked about.
    expect(statuses).toEqual({ 401: WORKERS * MAX_WAITING, 503: flood - WORKERS * MAX_WAITING });
    for (const session of connections) session.close();
  });
});
