// A store that stops answering under far more calls than it could take: each is answered, and memory stays bounded.
import { connect } from "node:net";
import { randomUUID } from "node:crypto";
import { expect, it, onTestFinished } from "vitest";

import { ADMIN_TOKEN } from "../../../control-plane/test/support/process.js";
import { initStore, issued, Plane, stateOf } from "../../../control-plane/test/support/planes-over-server.js";
import { TcpProxy } from "../../../control-plane/test/support/servers/tcp-proxy.js";
import { useServer } from "../../../control-plane/test/support/servers/use-server.js";

const CONNECTIONS = 2000;
/** On each, all sent at once: a control plane takes eight. */
const CALLS_ON_EACH = 6;
const ROUNDS = 3;
const SETTINGS = {
  SLUICE_API_RATE: "1000000",
  SLUICE_API_BURST: "1000000",
  SLUICE_HTTP_CONNECTIONS_PER_ADDRESS: "10000",
  SLUICE_HTTP_CONNECTIONS_UNAUTHENTICATED: "10000",
  // More than the calls of a round take, and less than those of all rounds would.
  NODE_OPTIONS: "--max-old-space-size=192",
};
const server = useServer("Redis 7");

/** Of each kind that waits for the store in its own way. */
function calls(): string[] {
  const creation = JSON.stringify({ userId: randomUUID(), orgId: "o1" });
  return [
    request("POST", "/v1/sessions", creation),
    request("POST", "/v1/sessions", creation),
    request("DELETE", `/v1/sessions/${SOME_SESSION}`),
    request("DELETE", `/v1/sessions/${unknownSession()}`),
    request("GET", `/v1/sessions/${unknownSession()}`),
    request("GET", "/v1/sessions?userId=u1"),
  ].slice(0, CALLS_ON_EACH);
}

const SOME_SESSION = "01900000-0000-7000-8000-000000000000";
const unknownSession = (): string => `01900000-0000-7${randomUUID().slice(15)}`;

function request(method: string, path: string, body = ""): string {
  const head = [`${method} ${path} HTTP/1.1`, "host: localhost", `authorization: Bearer ${ADMIN_TOKEN}`];
  const of = body === "" ? [] : ["content-type: application/json", `content-length: ${body.length}`];
  return [...head, ...of, "", body].join("\r\n");
}

/** Statuses of all that was asked on one connection, in order; rejects where it ends before. */
function answersOn(port: number, requests: readonly string[]): Promise<string[]> {
  const socket = connect(port, "127.0.0.1", () => socket.write(requests.join("")));
  return new Promise((resolve, reject) => {
    let text = "";
    socket.setEncoding("latin1").on("data", (more: string) => {
      text += more;
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status = ""]) => status);
      if (statuses.length < requests.length) return;
      resolve(statuses);
      socket.destroy();
    });
    socket.on("error", reject).on("close", () => {
      reject(new Error(`a connection ended after ${text}`));
    });
  });
}

/** Behind a network of the test's own. */
async function started(): Promise<{ plane: Plane; proxy: TcpProxy; port: number }> {
  await initStore(server().port);
  const proxy = await TcpProxy.listen(server().port);
  onTestFinished(() => proxy.close());
  const plane = await Plane.start(`redis://127.0.0.1:${proxy.port}`, SETTINGS);
  return { plane, proxy, port: Number(new URL(plane.url).port) };
}

it("12,000 calls that wait for a store that is silent are all answered 503, again and again", async () => {
  const { plane, proxy, port } = await started();
  const before = await issued(plane);
  for (let round = 0; round < ROUNDS; round++) {
    proxy.stall();
    // Nothing moves on before all have been answered.
    const all = await Promise.all(Array.from({ length: CONNECTIONS }, () => answersOn(port, calls())));
    expect(new Set(all.flat())).toEqual(new Set(["503"]));
    proxy.cut();
    proxy.resume();
    await plane.ready();
    expect(await stateOf(plane, await issued(plane))).toBe("live");
  }
  expect(await stateOf(plane, before)).toBe("live");
});

it("some calls of a thousand about one session wait for a slow store, the others are 503", async () => {
  const { plane, proxy, port } = await started();
  const id = await issued(plane);
  proxy.delay(300);
  const five = Array<string>(5).fill(request("DELETE", `/v1/sessions/${id}`));
  const all = (await Promise.all(Array.from({ length: 200 }, () => answersOn(port, five)))).flat();
  expect(new Set(all)).toEqual(new Set(["204", "503"]));
  // It was the bound: nothing failed.
  expect(plane.events("store-link-lost")).toEqual([]);
  proxy.resume();
  expect(await stateOf(plane, id)).toBe("revoked");
});
