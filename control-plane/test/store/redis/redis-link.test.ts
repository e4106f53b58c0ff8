// Connections to a server that end while they are being made, and a server that is made a replica between a write and its confirmation.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { nodeTimers } from "../../../src/files/node-timers.js";
import { connectLife } from "../../../src/store/redis/connection/life.js";
import type { Link, Linked } from "../../../src/store/redis/connection/link.js";
import { storeIn } from "../../../src/store/redis/connection/store-name.js";
import { Commits } from "../../../src/store/redis/writing/commits.js";
import { newRedisStore, serverAt } from "../../support/redis-store.js";
import { useServer } from "../../support/servers/use-server.js";

const login = { username: "sluice", password: "right" };
const random = { bytes: (count: number) => Buffer.alloc(count, 1) };
const nothing = { timers: nodeTimers, ended: () => undefined, woken: () => undefined };

describe("connections that end while they are being made", () => {
  const server = useServer("Redis 7", { user: { name: login.username, password: login.password } });

  it("no connection of two that are made at once stays where the other one fails", async () => {
    let taken = (_: Socket): void => undefined;
    const late = new Promise<Socket>((resolve) => {
      taken = resolve;
    });
    const pass = (caller: Socket): void => {
      const target = connect(server().port, "127.0.0.1");
      for (const socket of [caller, target]) socket.on("error", () => undefined);
      caller.pipe(target).pipe(caller);
    };
    let made = 0;
    const gate = createServer((caller) => {
      made += 1;
      if (made === 1) pass(caller);
      else if (made === 2) caller.destroy();
      else taken(caller);
    });
    gate.listen(0, "127.0.0.1");
    await once(gate, "listening");
    onTestFinished(() => {
      gate.close();
    });
    const { port } = gate.address() as AddressInfo;
    await expect(connectLife({ address: serverAt(port, login), ...nothing }, 0)).rejects.toThrow();
    // It is logged in only now.
    const caller = await late;
    const closed = once(caller, "close");
    pass(caller);
    await closed;
  });
});

describe("a server that is made a replica", () => {
  const server = useServer("Redis 7");

  it("a write whose server becomes a replica before it is confirmed is turned away", async () => {
    await newRedisStore(serverAt(server().port));
    const address = serverAt(server().port, { replicas: 1 });
    const real = await connectLife({ address, ...nothing }, 0);
    onTestFinished(async () => {
      real.end();
      await server().command("REPLICAOF", "NO", "ONE");
    });
    const run: typeof real.writes.run = async (...script) => {
      const reply = await real.writes.run(...script);
      await server().command("REPLICAOF", "127.0.0.1", "1");
      return reply;
    };
    const life = { ...real, writes: { ...real.writes, run } };
    const linked: Linked = { life, ...(await storeIn(real, undefined, random)) };
    const over: string[] = [];
    const link = {
      getBegun: () => linked,
      reason: () => undefined,
      notBegun: () => undefined,
      over: (_: unknown, why: string) => over.push(why),
    } as unknown as Link;
    const commits = new Commits({ link, replicas: 1, noteHead: () => undefined, refusal: () => undefined });
    await expect(commits.run([], [])).rejects.toThrow(StoreUnwritable);
    expect(over).toEqual([expect.stringContaining("it is a replica")]);
  });
});
