// The servers that the tests of stores run against: what each life of one has, and what it forgets.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RedisClientOptions } from "@redis/client";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { SERVER_NAMES, SERVERS_WITH_TLS } from "../../../../scripts/test/get-store-servers.js";
import { authorityIn, pem } from "../certificates.js";
import type { Authority } from "../certificates.js";
import { SentinelSet } from "./sentinel-set.js";
import { newClient, StoreServer } from "./store-server.js";
import type { ServerOptions } from "./server-settings.js";
import { useProgram, useServer } from "./use-server.js";

async function connected(options: RedisClientOptions) {
  const client = newClient({ ...options, socket: { reconnectStrategy: false, ...options.socket } });
  client.on("error", () => undefined);
  onTestFinished(() => {
    if (client.isOpen) client.destroy();
  });
  await client.connect();
  return client;
}
const pingOf = async (options: RedisClientOptions): Promise<unknown> => (await connected(options)).ping();

describe.each(SERVER_NAMES)("%s", (name) => {
  const program = useProgram(name);
  const shared = useServer(name);

  const started = async (options: ServerOptions = {}): Promise<StoreServer> => {
    const server = await StoreServer.start(program(), options);
    onTestFinished(() => server.remove());
    return server;
  };

  it("a server of the tests answers a client at its address", async () => {
    const client = await connected({ url: shared().url });
    expect(await client.set("a", "1")).toBe("OK");
    expect(await shared().command("GET", "a")).toBe("1");
    expect(await shared().info("redis_version")).toMatch(/^7\./);
  });

  it.each(["first", "second"])(
    "the %s of two tests finds nothing of the other in a server that they share",
    async () => {
      expect(await shared().command("DBSIZE")).toBe(0);
      await shared().command("SET", "a", "1");
      // Neither does the next one notice that.
      shared().pause();
    },
  );

  it("a server with an append-only file has after a kill what it answered before", async () => {
    const server = await started({ appendonly: true, appendfsync: "always" });
    const { port, pid } = server;
    await server.command("SET", "a", "1");
    await server.kill();
    expect(server.running).toBe(false);
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(await server.command("GET", "a")).toBe("1");
  });

  it("a server that keeps nothing is empty after a kill", async () => {
    const server = await started();
    await server.command("SET", "a", "1");
    await server.kill();
    await server.restart();
    expect(await server.command("GET", "a")).toBe(null);
  });

  it("a server that is paused answers nothing, and everything once it is resumed", async () => {
    const server = await started();
    server.pause();
    let answer: unknown;
    const asked = server.command("PING").then((said) => (answer = said));
    // Another one would have answered long before.
    for (let turn = 0; turn < 10; turn++) await shared().command("PING");
    expect(answer).toBe(undefined);
    server.resume();
    expect(await asked).toBe("PONG");
  });

  it("a server with a password lets in who knows it", async () => {
    const server = await started({ requirepass: "a pass/word" });
    expect(await pingOf({ url: server.url })).toBe("PONG");
    const without = `redis://127.0.0.1:${server.port}`;
    await expect(pingOf({ url: without })).rejects.toThrow("NOAUTH");
    await expect(pingOf({ url: without, password: "another" })).rejects.toThrow("WRONGPASS");
  });

  it("a server with a user lets nobody else in, and that one do what its rules say", async () => {
    const user = { name: "sluice", password: "its", rules: "~sluice:* &* +@all" };
    const server = await started({ user });
    const client = await connected({ url: server.url });
    expect(await client.set("sluice:a", "1")).toBe("OK");
    await expect(client.set("b", "1")).rejects.toThrow("NOPERM");
    await expect(pingOf({ url: `redis://127.0.0.1:${server.port}` })).rejects.toThrow("NOAUTH");
  });

  it("a server that is full refuses writes, and keeps what it has", async () => {
    const small = await started({ maxmemory: "8mb" });
    const fill = async (): Promise<void> => {
      for (let n = 0; n < 100; n++) await small.command("SET", `key ${n}`, "x".repeat(100_000));
    };
    await expect(fill()).rejects.toThrow("OOM");
    expect(await small.command("GET", "key 0")).toHaveLength(100_000);
  });

  it("a replica has what its primary has, and takes no writes", async () => {
    // It takes its time, and a replica is ready only after it.
    const primary = await started({ settings: { "repl-diskless-sync-delay": "1" } });
    await primary.command("SET", "a", "1");
    const replica = await started({ replicaOf: primary.port });
    expect(await replica.command("GET", "a")).toBe("1");
    await expect(replica.command("SET", "b", "1")).rejects.toThrow("READONLY");
  });

  it("a cluster of one server takes keys of every slot, again after a restart", async () => {
    const server = await started({ cluster: true, appendonly: true });
    expect(await server.command("SET", "a", "1")).toBe("OK");
    await server.kill();
    await server.restart();
    expect(await server.command("GET", "a")).toBe("1");
    expect(await server.command("SET", "b", "1")).toBe("OK");
  });

  it("a server that cannot start says why", async () => {
    await expect(started({ settings: { "no-such-setting": "1" } })).rejects.toThrow("no-such-setting");
  });
});

describe.each(SERVERS_WITH_TLS)("%s", (name) => {
  const program = useProgram(name);
  let folder = "";
  let authority: Authority;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-certificates-"));
    authority = authorityIn(folder, "ca");
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("a server with TLS wants its authority of its clients, and a certificate where it is to", async () => {
    const tls = { ...authority.issue("server"), ca: authority.cert, clientCertificates: true };
    const primary = await StoreServer.start(program(), { tls });
    onTestFinished(() => primary.remove());
    const ca = readFileSync(authority.cert);
    const [socket, own] = [{ tls: true as const, ca }, pem(authority.issue("client"))];
    expect(primary.url).toMatch(/^rediss:/);
    expect(await pingOf({ url: primary.url, socket: { ...socket, ...own } })).toBe("PONG");
    await expect(pingOf({ url: primary.url, socket })).rejects.toThrow();
    await expect(pingOf({ url: primary.url, socket: { tls: true, ...own } })).rejects.toThrow(
      "self-signed certificate",
    );
  });

  it("replicas and sentinels of a set with TLS speak nothing else", async () => {
    const tls = { ...authority.issue("member"), ca: authority.cert };
    const set = await SentinelSet.start(program(), { server: { tls }, sentinel: { tls } });
    onTestFinished(() => set.remove());
    expect(set.url).toMatch(/^rediss\+sentinel:/);
    const [{ proxy }] = set.members;
    const socket = { tls: true as const, ca: readFileSync(authority.cert) };
    for (const port of [proxy.port, ...set.sentinels.map((sentinel) => sentinel.port)])
      expect(await pingOf({ url: `rediss://127.0.0.1:${port}`, socket })).toBe("PONG");
  });
});
