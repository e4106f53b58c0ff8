// The network of the tests of stores: what passes, what is late, what is lost and what is cut.
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";

import { freePorts } from "../../../../scripts/start/ports.js";
import { until } from "../until.js";
import { TcpProxy } from "./tcp-proxy.js";

/** Says everything back, and notes it. */
async function echo(): Promise<{ port: number; heard: () => string; connections: Socket[] }> {
  let heard = "";
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      heard += bytes.toString();
      socket.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, heard: () => heard, connections };
}

interface Caller {
  readonly socket: Socket;
  readonly heard: () => string;
  /** What broke the connection. */
  readonly broken: () => string | undefined;
}

async function caller(port: number, localAddress = "127.0.0.1"): Promise<Caller> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  let heard = "";
  let broken: string | undefined;
  socket.on("data", (bytes: Buffer) => (heard += bytes.toString()));
  socket.on("error", (error: NodeJS.ErrnoException) => (broken = error.code));
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, "connect");
  return { socket, heard: () => heard, broken: () => broken };
}

async function scene() {
  const server = await echo();
  const proxy = await TcpProxy.listen(server.port);
  onTestFinished(() => proxy.close());
  return { server, proxy, one: await caller(proxy.port) };
}

/** A connection that is made now has been through everything that was sent before. */
async function roundTrip(port: number): Promise<void> {
  const { socket, heard } = await caller(port);
  socket.write("?");
  await until(() => {
    expect(heard()).toBe("?");
  });
}

it("a proxy passes on what callers send, what they are answered, and that they have ended", async () => {
  const { server, proxy, one } = await scene();
  one.socket.write("a");
  await until(() => {
    expect(one.heard()).toBe("a");
  });
  one.socket.end();
  await until(() => {
    expect(proxy.open).toBe(0);
  });
  expect(server.heard()).toBe("a");
});

it("a stalled proxy keeps everything, and gives it in order when it is resumed", async () => {
  const { server, proxy, one } = await scene();
  proxy.stall();
  one.socket.write("a");
  await roundTrip(server.port);
  one.socket.write("b");
  await roundTrip(server.port);
  expect([server.heard(), one.heard()]).toEqual(["??", ""]);
  proxy.resume();
  await until(() => {
    expect(one.heard()).toBe("ab");
  });
});

it("a proxy that stalls answers lets the server do what it is asked for", async () => {
  const { server, proxy, one } = await scene();
  proxy.stall("answers");
  one.socket.write("a");
  await until(() => {
    expect(server.heard()).toBe("a");
  });
  await roundTrip(server.port);
  expect(one.heard()).toBe("");
  proxy.cut();
  await until(() => {
    expect(one.broken()).toBe("ECONNRESET");
  });
  expect(one.heard()).toBe("");
});

it("what is sent in a partition is lost, and its connection is reset at its first use after it", async () => {
  const { server, proxy, one } = await scene();
  one.socket.write("a");
  await until(() => {
    expect(one.heard()).toBe("a");
  });
  proxy.partition();
  one.socket.write("b");
  const another = await caller(proxy.port);
  another.socket.write("c");
  await roundTrip(server.port);
  expect([server.heard(), one.heard(), another.heard()]).toEqual(["a?", "a", ""]);
  expect([one.broken(), another.broken()]).toEqual([undefined, undefined]);
  proxy.resume();
  await roundTrip(proxy.port);
  expect(one.broken()).toBe(undefined);
  one.socket.write("d");
  await until(() => {
    expect(one.broken()).toBe("ECONNRESET");
  });
  expect(server.heard()).toBe("a??");
});

it("a partition from some callers leaves all others as they are", async () => {
  const { server, proxy, one } = await scene();
  const parted = await caller(proxy.port, "127.0.0.2");
  proxy.partition("127.0.0.2");
  parted.socket.write("a");
  const later = await caller(proxy.port, "127.0.0.2");
  later.socket.write("b");
  await roundTrip(server.port);
  one.socket.write("c");
  await until(() => {
    expect(one.heard()).toBe("c");
  });
  await roundTrip(proxy.port);
  expect([server.heard(), parted.heard(), later.heard()]).toEqual(["?c?", "", ""]);
});

it("a delayed proxy passes everything on in order, and not before its time", async () => {
  const { server, proxy, one } = await scene();
  proxy.delay(60);
  const begun = performance.now();
  one.socket.write("a");
  await until(() => {
    expect(server.heard()).toBe("a");
  });
  expect(performance.now() - begun).toBeGreaterThanOrEqual(60);
  one.socket.write("b");
  await until(() => {
    expect(one.heard()).toBe("ab");
  });
  expect(performance.now() - begun).toBeGreaterThanOrEqual(180);
});

it("a proxy that was cut takes new connections, and one that is closed refuses them", async () => {
  const { proxy, one } = await scene();
  proxy.cut();
  await until(() => {
    expect(one.broken()).toBe("ECONNRESET");
  });
  await roundTrip(proxy.port);
  await proxy.close();
  await expect(caller(proxy.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await proxy.reopen();
  await roundTrip(proxy.port);
});

it("a proxy without a server behind it resets its callers", async () => {
  const { proxy } = await scene();
  const [nobody = 0] = await freePorts(1);
  proxy.to(nobody);
  const one = await caller(proxy.port);
  await until(() => {
    expect(one.broken()).toBe("ECONNRESET");
  });
});

it("a stalled proxy takes no more from a sender than buffers hold", async () => {
  const { server, proxy, one } = await scene();
  proxy.stall();
  one.socket.write(Buffer.alloc(40_000_000));
  // Enough for all of it, were it taken.
  for (let turn = 0; turn < 40; turn++) await roundTrip(server.port);
  expect(one.socket.writableLength).toBeGreaterThan(0);
});
