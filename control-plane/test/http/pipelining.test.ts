// Clients that send requests without reading the answers: what one connection may have under way, and its end.
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";

import { MAX_UNDER_WAY } from "../../src/http/pipelining.js";
import { KEYS, startTestControlPlane } from "../support/control-plane.js";
import type { TestControlPlane } from "../support/control-plane.js";
import { until } from "../support/until.js";

const READY = "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n";

describe("requests under way on one connection", () => {
  it("requests on one connection are answered in order up to the bound", async () => {
    const plane = await startTestControlPlane();
    const { asked, release } = holdReady(plane);
    const client = await opened(plane.statusUrl);
    client.socket.write(READY.repeat(MAX_UNDER_WAY));
    await until(() => {
      expect(asked()).toBe(MAX_UNDER_WAY);
    });
    release();
    await until(() => {
      expect(client.statuses()).toEqual(Array(MAX_UNDER_WAY).fill("200"));
    });
    expect(client.closed()).toBe(false);
  });

  it("a connection with more requests under way than the bound is closed", async () => {
    const plane = await startTestControlPlane();
    const { asked, release } = holdReady(plane);
    const client = await opened(plane.statusUrl);
    client.socket.write(READY.repeat(1000));
    await ended(client);
    release();
    expect([asked(), client.statuses()]).toEqual([MAX_UNDER_WAY, []]);
    expect((await plane.status("/readyz")).status).toBe(200);
  });

  it("a connection may have any number of requests one after the other", async () => {
    const plane = await startTestControlPlane();
    const client = await opened(plane.statusUrl);
    for (let count = 1; count <= 3 * MAX_UNDER_WAY; count++) {
      client.socket.write(READY);
      await until(() => {
        expect(client.statuses()).toHaveLength(count);
      });
    }
    expect(client.closed()).toBe(false);
  });

  it.each([
    ["has no host", "GET /readyz HTTP/1.1\r\n\r\n"],
    ["expects what is not known", "GET /readyz HTTP/1.1\r\nhost: x\r\nexpect: more\r\n\r\n"],
    ["has a path that cannot be decoded", "GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n"],
  ])("a request counts as under way also where one %s", async (_what, bytes) => {
    const plane = await startTestControlPlane();
    holdReady(plane);
    const client = await opened(plane.statusUrl);
    client.socket.write(READY + bytes.repeat(MAX_UNDER_WAY));
    await ended(client);
    expect(client.statuses()).toEqual([]);
  });
});

describe("watches on one connection", () => {
  it("a connection that closes frees all its watches, also those that wait for another", async () => {
    const plane = await startTestControlPlane();
    const { log, cursor } = await plane.store.position();
    const client = await opened(plane.url);
    for (let i = 0; i < MAX_UNDER_WAY; i++) {
      client.socket.write(watchOf({ instance: `${i}`.repeat(16), log, since: cursor }));
    }
    await until(() => {
      expect(plane.watches.heldCount()).toBe(MAX_UNDER_WAY);
    });
    client.socket.destroy();
    await until(() => {
      expect(plane.watches.heldCount()).toBe(0);
    });
  });
});

function watchOf(fields: object): string {
  const body = JSON.stringify({ edge: "gw-1", ...fields });
  const head = [
    "POST /edge/v1/watch HTTP/1.1",
    "host: x",
    `authorization: Bearer ${KEYS.edgeCredential}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/** Keeps calls of /readyz under way until they are released, and counts them. */
function holdReady({ store }: TestControlPlane): { asked: () => number; release: () => void } {
  let asked = 0;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  onTestFinished(() => {
    release();
  });
  const position = store.position.bind(store);
  store.position = async () => {
    asked++;
    await released;
    return position();
  };
  return {
    asked: () => asked,
    release: () => {
      release();
    },
  };
}

interface Client {
  readonly socket: Socket;
  /** Of the answers so far. */
  readonly statuses: () => string[];
  readonly closed: () => boolean;
}

async function opened(url: string): Promise<Client> {
  const { hostname, port } = new URL(url);
  let received = "";
  const socket = connect({ host: hostname, port: Number(port) });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  // A reset is one way in which the server ends it.
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  const statuses = (): string[] => [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = ""]) => status);
  return { socket, statuses, closed: () => socket.closed };
}

const ended = (client: Client): Promise<void> =>
  until(() => {
    expect(client.closed()).toBe(true);
  });
