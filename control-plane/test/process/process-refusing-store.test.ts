// Control planes over a Redis that takes no writes, or answers slowly: what callers and operators are told, what goes on, and that a start
// waits for it.
import { describe, expect, it, onTestFinished } from "vitest";

import { initStore, issued, Plane, stateOf } from "../support/planes-over-server.js";
import { StoreServer } from "../support/servers/store-server.js";
import { TcpProxy } from "../support/servers/tcp-proxy.js";
import { useProgram, useServer } from "../support/servers/use-server.js";
import { until } from "../support/until.js";

const program = useProgram("Redis 7");
const user = { name: "sluice", password: "right" };
const server = useServer("Redis 7", { user, appendonly: true, appendfsync: "everysec" });
const NEW = { userId: "u1", orgId: "o1" };

const asked = (...words: readonly string[]): Promise<unknown> => server().command(...words);

/** What a test changes is as before after it. */
async function set(setting: string, value: string, normal: string): Promise<void> {
  onTestFinished(async () => {
    await asked("CONFIG", "SET", setting, normal);
  });
  await asked("CONFIG", "SET", setting, value);
}

async function stored(): Promise<void> {
  await initStore(server().port, user);
}

async function notReady(plane: Plane, why: RegExp): Promise<void> {
  await until(async () => {
    const readiness = await plane.readiness();
    expect(readiness.status).toBe(503);
    expect(readiness.why).toMatch(why);
  });
}

async function expectDenied(plane: Plane): Promise<void> {
  const denied = await plane.operator("POST", "/v1/sessions", NEW);
  expect(denied).toMatchObject({ status: 503, body: { error: { code: "NOT_WRITTEN" } } });
  expect(Number(denied.retryAfter)).toBeGreaterThan(0);
}

interface Fault {
  readonly begin: readonly (readonly string[])[];
  readonly why: RegExp;
  /** What is answered to a question about a session meanwhile. */
  readonly reads: number;
  readonly end: readonly (readonly string[])[];
}

const FAULTS: readonly Fault[] = [
  {
    begin: [["CONFIG", "SET", "maxmemory", "1"]],
    why: /The store cannot be written: it is full/,
    reads: 200,
    end: [["CONFIG", "SET", "maxmemory", "0"]],
  },
  {
    begin: [["REPLICAOF", "127.0.0.1", "1"]],
    why: /The store does not answer: redis:.* is a replica/,
    reads: 503,
    end: [["REPLICAOF", "NO", "ONE"]],
  },
  {
    begin: [
      ["ACL", "SETUSER", user.name, "resetpass", ">another"],
      ["CLIENT", "KILL", "USER", user.name],
    ],
    why: /The store does not answer: redis:.*: it rejects the credentials/,
    reads: 503,
    end: [["ACL", "SETUSER", user.name, `>${user.password}`]],
  },
];

describe("a store that turns away writes", () => {
  it("a store that is full, a replica, or wants another password: writes are 503, and it heals", async () => {
    await stored();
    const plane = await Plane.start(server().url);
    const id = await issued(plane);
    for (const { begin, why, reads, end } of FAULTS) {
      for (const words of begin) await asked(...words);
      // What finds it out is a write.
      await until(() => expectDenied(plane));
      await notReady(plane, why);
      expect((await plane.operator("GET", `/v1/sessions/${id}`)).status).toBe(reads);
      for (const words of end) await asked(...words);
      await plane.ready();
      expect(await stateOf(plane, await issued(plane))).toBe("live");
    }
    expect(plane.log).not.toContain(user.password);
  });

  it("a store that is slow serves, and /readyz says that it is", async () => {
    await stored();
    const proxy = await TcpProxy.listen(server().port);
    onTestFinished(() => proxy.close());
    const plane = await Plane.start(server().url.replace(String(server().port), String(proxy.port)));
    proxy.delay(300);
    await notReady(plane, /The store does not answer: it takes longer than 500 ms/);
    expect((await plane.operator("POST", "/v1/sessions", NEW)).status).toBe(201);
  });
});

describe("a start over a store that turns away writes", () => {
  it("a start without a policy waits until the store takes one, and says for what", async () => {
    await stored();
    await set("maxmemory-policy", "volatile-lru", "noeviction");
    await set("maxmemory", "1", "0");
    const plane = await Plane.begin(server().url, { SLUICE_STORE_REPLICAS: "1" });
    const waits = (why: string): Promise<void> => notReady(plane, new RegExp(`the policy is being read: .*${why}`));
    await waits("its maxmemory-policy is volatile-lru");
    await asked("CONFIG", "SET", "maxmemory-policy", "noeviction");
    await waits("it is full");
    await asked("CONFIG", "SET", "maxmemory", "0");
    // The policy stands then: the start goes on by it, and waits for a replica to be ready.
    await notReady(plane, /0 of 1 replicas have confirmed a write/);
    const replica = await StoreServer.start(program(), { replicaOf: server().port });
    onTestFinished(() => replica.remove());
    await plane.ready();
    expect(await stateOf(plane, await issued(plane))).toBe("live");
  });

  it("a start over a primary with too few replicas shows sessions, and issues none until it has", async () => {
    await stored();
    const before = await Plane.start(server().url);
    const id = await issued(before);
    await before.stop();
    await server().stop();
    await server().restart();
    await set("min-replicas-to-write", "1", "0");
    const plane = await Plane.begin(server().url);
    await notReady(plane, /The store cannot be written: it has too few replicas/);
    expect(await stateOf(plane, id)).toBe("live");
    await expectDenied(plane);
    await asked("CONFIG", "SET", "min-replicas-to-write", "0");
    await plane.ready();
    expect(await stateOf(plane, await issued(plane))).toBe("live");
  });

  it("a store that goes away in the midst of a start is waited for", async () => {
    await stored();
    const proxy = await TcpProxy.listen(server().port);
    onTestFinished(() => proxy.close());
    // Each question of the start takes 400 ms.
    proxy.delay(200);
    const plane = await Plane.begin(server().url.replace(String(server().port), String(proxy.port)));
    await until(() => {
      expect(plane.events("store-linked")).toHaveLength(1);
    });
    await proxy.close();
    await notReady(plane, /starting: (?!the store).* is being (read|opened): .*ECONNREFUSED/);
    await proxy.reopen();
    proxy.delay(0);
    await plane.ready();
    expect(await stateOf(plane, await issued(plane))).toBe("live");
  });
});
