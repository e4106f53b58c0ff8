// Two control planes over one Redis, one of which is killed in the middle of its work; and a store that is away, or not the one it was.
import { describe, expect, it, onTestFinished } from "vitest";

import { initFilledStore, initStore, issued, Plane, stateOf } from "../support/planes-over-server.js";
import { TcpProxy } from "../support/servers/tcp-proxy.js";
import { useServer } from "../support/servers/use-server.js";
import { until } from "../support/until.js";

const server = useServer("Redis 7", { appendonly: true, appendfsync: "everysec" });
/** Of a bulk revocation: 25 chunks. */
const MANY = 5_000;

const start = (more: Readonly<Record<string, string>> = {}): Promise<Plane> => Plane.start(server().url, more);

/** Resolves once it is not ready, for this reason. */
async function notReady(plane: Plane, why: RegExp): Promise<void> {
  await until(async () => {
    const readiness = await plane.readiness();
    expect(readiness.status).toBe(503);
    expect(readiness.why).toMatch(why);
  });
}

interface Progress {
  readonly id: string;
  readonly state: string;
  readonly examined: number;
  readonly revoked: number;
}

async function progress(plane: Plane, id: string): Promise<Progress> {
  const { body } = await plane.operator("GET", `/v1/revocations/${id}`);
  return (body as { revocation: Progress }).revocation;
}

describe("a control plane that is killed while it works for all", () => {
  it("a bulk revocation is carried to its end by another control plane, which repeats nothing", async () => {
    await initFilledStore(server().port, MANY, 1000);
    const proxy = await TcpProxy.listen(server().port);
    onTestFinished(() => proxy.close());
    const [asked, other] = await Promise.all([Plane.start(`redis://127.0.0.1:${proxy.port}`), start()]);
    // It does a chunk in 400 ms and more from here on, so that it is far from the end when it has done one.
    proxy.delay(100);
    const { status, body } = await asked.operator("DELETE", "/v1/sessions?userId=u1");
    expect(status).toBe(202);
    const { id } = (body as { revocation: Progress }).revocation;
    await until(async () => {
      expect((await progress(other, id)).examined).toBeGreaterThan(0);
    });
    proxy.stall();
    await asked.kill();
    const { examined } = await progress(other, id);
    expect(examined).toBeLessThan(MANY);
    await until(async () => {
      expect(await progress(other, id)).toMatchObject({ state: "finished", examined: MANY, revoked: MANY });
    });
    expect(await server().command("HGET", "{sluice}:meta", "cursor")).toBe(String(MANY));
  }, 300_000);
});

/** Whether the probe passes without which Kubernetes ends a pod. */
const lives = async (plane: Plane): Promise<boolean> => (await fetch(`${plane.status}/healthz`)).ok;

describe("a store that is not there", () => {
  it("a new session is 503 while the store is down, readyz says why, and all goes on after it", async () => {
    await initStore(server().port);
    const plane = await start();
    const id = await issued(plane);
    await server().kill();
    await notReady(plane, /The store does not answer: .*ECONNREFUSED/);
    expect(await lives(plane)).toBe(true);
    expect((await plane.operator("GET", "/v1/status")).body).toMatchObject({ ready: false });
    const denied = await plane.operator("POST", "/v1/sessions", { userId: "u1", orgId: "o1" });
    expect(denied).toMatchObject({ status: 503, body: { error: { code: "NOT_WRITTEN" } } });
    expect(Number(denied.retryAfter)).toBeGreaterThan(0);
    await server().restart();
    await plane.ready();
    expect(await stateOf(plane, id)).toBe("live");
    expect(await stateOf(plane, await issued(plane))).toBe("live");
  });

  it("a control plane that is started before its store waits for it, and says for what", async () => {
    await initStore(server().port);
    await server().kill();
    const plane = await Plane.begin(server().url);
    await notReady(plane, /ECONNREFUSED/);
    // As Kubernetes probes it: it is not to be ended for that, and gets no calls yet.
    expect(await lives(plane)).toBe(true);
    await expect(fetch(plane.url)).rejects.toThrow();
    await server().restart();
    await plane.ready();
    expect(await stateOf(plane, await issued(plane))).toBe("live");
  });

  it("a server without a store is waited at until an operator makes it one", async () => {
    const plane = await Plane.begin(server().url);
    await notReady(plane, /sluice store init/);
    expect(await server().command("KEYS", "*")).toEqual([]);
    await initStore(server().port);
    await plane.ready();
    expect(await stateOf(plane, await issued(plane))).toBe("live");
  });

  it("a store that is emptied under control planes is not taken for a new one", async () => {
    await initStore(server().port);
    const plane = await start();
    const id = await issued(plane);
    await server().command("FLUSHALL");
    await notReady(plane, /lost its data/);
    const answers = [
      await plane.operator("POST", "/v1/sessions", { userId: "u1", orgId: "o1" }),
      await plane.operator("DELETE", `/v1/sessions/${id}`),
      await plane.edge("acquire", { edge: "gw-a", instance: "a".repeat(16), session: id }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(await server().command("KEYS", "*")).toEqual([]);
    // Another store in its place is none of this process's either.
    await initStore(server().port);
    await notReady(plane, /another store/);
    expect(await server().command("KEYS", "*")).toEqual(["{sluice}:meta"]);
  });

  it.each([
    ["0", "an older"],
    ["2", "a newer"],
  ])("a store of schema %s, which is of %s version, is waited for and not written", async (schema, version) => {
    await initStore(server().port);
    const running = await start();
    await server().command("HSET", "{sluice}:meta", "schema", schema);
    const late = await Plane.begin(server().url);
    for (const plane of [running, late])
      await notReady(plane, new RegExp(`its schema is ${schema}( now|, of ${version} version)`));
    const before = await server().command("HGETALL", "{sluice}:meta");
    expect((await running.operator("POST", "/v1/sessions", { userId: "u1", orgId: "o1" })).status).toBe(503);
    expect(await server().command("HGETALL", "{sluice}:meta")).toEqual(before);
    await server().command("HSET", "{sluice}:meta", "schema", "1");
    await Promise.all([running.ready(), late.ready()]);
    expect(await stateOf(late, await issued(running))).toBe("live");
  });
});
