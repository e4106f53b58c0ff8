// Faults of control planes, of the store and of the network between them, while clients and edges go on: what was acknowledged is true.
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";

import { initStore } from "../../../control-plane/test/support/planes-over-server.js";
import { TcpProxy } from "../../../control-plane/test/support/servers/tcp-proxy.js";
import { useServer } from "../../../control-plane/test/support/servers/use-server.js";
import { settableWallClock } from "../../e2e/harness/wall-clock.js";
import { CLIENTS, Scene } from "./scene.js";
import { NOT_HELD } from "./simulated-edge.js";

const clock = await settableWallClock();
const SKEW_S = 5;

describe.each(["Redis 7", "Valkey 9"] as const)("two control planes over one %s that syncs each write", (name) => {
  const server = useServer(name, { appendonly: true, appendfsync: "always" });

  async function scene(): Promise<Scene> {
    await initStore(server().port);
    return Scene.start({ stores: [server().url, server().url] });
  }

  it.each([0, 1] as const)(`control plane %i is killed and started again over ${name}: all is true`, async (which) => {
    const one = await scene();
    const { untrue, edges } = await one.through(async () => {
      await one.planes[which].kill();
      await delay(2000);
      await one.planes[which].restart();
    });
    expect(one.problems(untrue)).toEqual([]);
    // The store has the same log all the time: nobody begins anew.
    expect(edges.map(({ begunAnew }) => begunAnew)).toEqual([0, 0]);
  });

  it(`${name} is killed and started again: all is true, and edges begin anew`, async () => {
    const one = await scene();
    const { untrue, edges } = await one.through(async () => {
      await server().kill();
      await delay(1000);
      await server().restart();
    });
    expect(one.problems(untrue)).toEqual([]);
    for (const { begunAnew } of edges) expect(begunAnew).toBeGreaterThan(0);
  });
});

describe("two control planes that are restarted one after the other", () => {
  const server = useServer("Redis 7", { appendonly: true, appendfsync: "always" });

  it("a rolling restart under load fails no call but those that find nobody, no edge begins anew", async () => {
    await initStore(server().port);
    const one = await Scene.start({ stores: [server().url, server().url] });
    const { untrue, edges } = await one.through(async () => {
      for (const plane of one.planes) {
        expect(await plane.stop()).toEqual({ code: 0, signal: null });
        await one.more(1, CLIENTS);
        await plane.restart();
        await one.more(1, CLIENTS);
      }
    });
    expect(one.problems(untrue)).toEqual([]);
    // ECONNRESET: it was not taken yet when the listener was closed. Who stops holds no more watches.
    const allowed = ["ECONNREFUSED", "ECONNRESET", NOT_HELD];
    expect(one.recorder.failures().filter((why) => !allowed.includes(why))).toEqual([]);
    expect(edges.map(({ begunAnew }) => begunAnew)).toEqual([0, 0]);
  });
});

describe("two control planes that both lose their way to the store", () => {
  const server = useServer("Redis 7", { appendonly: true, appendfsync: "always" });

  async function behindOneProxy(): Promise<{ one: Scene; proxy: TcpProxy }> {
    await initStore(server().port);
    const proxy = await TcpProxy.listen(server().port);
    onTestFinished(() => proxy.close());
    const url = `redis://127.0.0.1:${proxy.port}`;
    return { one: await Scene.start({ stores: [url, url] }), proxy };
  }

  const linksLost = (one: Scene): number[] => one.planes.map((plane) => plane.events("store-link-lost").length);

  it("the store stalls for 2 s for both control planes: all is true, and no link is lost", async () => {
    const { one, proxy } = await behindOneProxy();
    const { untrue, edges } = await one.through(async () => {
      proxy.stall();
      await delay(2000);
      proxy.resume();
    });
    expect(one.problems(untrue)).toEqual([]);
    expect(edges.map(({ begunAnew }) => begunAnew)).toEqual([0, 0]);
    expect(linksLost(one)).toEqual([0, 0]);
  });

  it.each(["stall", "partition"] as const)("a %s of 6 s before both control planes: all is true", async (fault) => {
    const { one, proxy } = await behindOneProxy();
    const { untrue, edges } = await one.through(async () => {
      proxy[fault]();
      // Longer than an answer is waited for: both look for the store anew.
      await delay(6000);
      expect((await Promise.all(one.planes.map((plane) => plane.readiness()))).map(({ status }) => status)).toEqual([
        503, 503,
      ]);
      proxy.resume();
    });
    expect(one.problems(untrue)).toEqual([]);
    expect(edges.map(({ begunAnew }) => begunAnew)).toEqual([0, 0]);
    for (const lost of linksLost(one)) expect(lost).toBeGreaterThan(0);
  });
});

describe("two control planes, one of which has a bad network or a wrong clock", () => {
  const server = useServer("Redis 7", { appendonly: true, appendfsync: "always" });

  async function proxied(): Promise<{ one: Scene; proxy: TcpProxy }> {
    await initStore(server().port);
    const proxy = await TcpProxy.listen(server().port);
    onTestFinished(() => proxy.close());
    return { one: await Scene.start({ stores: [`redis://127.0.0.1:${proxy.port}`, server().url] }), proxy };
  }

  it("the store stalls for 2 s for one control plane: all is true, and nobody begins anew", async () => {
    const { one, proxy } = await proxied();
    const { untrue, edges } = await one.through(async () => {
      proxy.stall();
      await delay(2000);
      proxy.resume();
    });
    expect(one.problems(untrue)).toEqual([]);
    expect(edges.map(({ begunAnew }) => begunAnew)).toEqual([0, 0]);
    expect(one.planes[0].events("store-link-lost")).toEqual([]);
  });

  it("one control plane is parted from the store for 8 s: all is true", async () => {
    const { one, proxy } = await proxied();
    const { untrue } = await one.through(async () => {
      proxy.partition();
      await delay(8000);
      expect((await one.planes[0].readiness()).status).toBe(503);
      proxy.resume();
    });
    expect(one.problems(untrue)).toEqual([]);
    expect(one.planes[0].events("store-link-lost")).toHaveLength(1);
  });

  it("one control plane hears no answers of the store for 5 s: what was done is not done twice", async () => {
    const { one, proxy } = await proxied();
    const { untrue } = await one.through(async () => {
      proxy.stall("answers");
      await delay(5000);
      proxy.cut();
      proxy.resume();
    });
    expect(one.problems(untrue)).toEqual([]);
  });

  it("a control plane whose machine is 5 s ahead goes by the store's clock: all is true", async (context) => {
    clock.needed(context);
    await initStore(server().port);
    clock.ahead(SKEW_S);
    const { url } = server();
    const one = await Scene.start({ stores: [url, url], settings: [{}, clock.env] });
    const { untrue } = await one.through(async () => {
      const [a, b] = one.planes;
      const ids: string[] = [];
      for (const plane of [a, b, a, b, a, b]) {
        const { body } = await plane.operator("POST", "/v1/sessions", { userId: "clock", orgId: "o1" });
        const { id, createdAt } = (body as { session: { id: string; createdAt: number } }).session;
        expect(Math.abs(createdAt - Date.now())).toBeLessThan((SKEW_S * 1000) / 2);
        ids.push(id);
        await delay(20);
      }
      expect([...ids].sort()).toEqual(ids);
      await b.kill();
      await b.restart();
    });
    expect(one.problems(untrue)).toEqual([]);
    expect(one.planes[1].events("clock-jumped")).toEqual([]);
  });
});
