// The servers that the tests of stores run against: what each life of one has, and what it forgets.
import { createClient } from "redis";
import { describe, expect, it, onTestFinished } from "vitest";

import { SERVER_NAMES } from "../../../../scripts/test/get-store-servers.js";
import { StoreServer } from "./store-server.js";
import type { ServerOptions } from "./server-settings.js";
import { useProgram, useServer } from "./use-server.js";

describe.each(SERVER_NAMES)("%s", (name) => {
  const program = useProgram(name);
  const shared = useServer(name);

  const started = async (options: ServerOptions = {}): Promise<StoreServer> => {
    const server = await StoreServer.start(program(), options);
    onTestFinished(() => server.remove());
    return server;
  };

  it("a server of the tests answers a client at its address", async () => {
    const client = createClient({ url: shared().url });
    await client.connect();
    onTestFinished(() => {
      client.destroy();
    });
    expect(await client.set("a", "1")).toBe("OK");
    expect(await shared().command("GET", "a")).toBe("1");
    expect(await shared().info("redis_version")).toMatch(/^7\./);
  });

  it("a server that tests share has nothing of the test before", async () => {
    expect(await shared().command("DBSIZE")).toBe(0);
  });

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
});
