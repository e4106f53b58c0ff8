// The control plane as it is set by default, while one address opens every connection that it can.
import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";

import { deriveKeys } from "../../src/domain/keys.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn } from "../support/process.js";
import { sitDown } from "../support/sitting.js";

const SITTING = 10_000;
const AT_ONCE = 500;
const EDGE = deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential;
const WATCH = { edge: "gw-1", instance: "0".repeat(16), since: 0 };

async function started() {
  const plane = new ControlPlaneProcess(settingsIn());
  const url = await plane.listening();
  const call = (path: string, token: string, body?: object): Promise<Response> =>
    fetch(url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", connection: "close" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { plane, port: Number(new URL(url).port), call };
}

const flood = (port: number): Promise<unknown> =>
  Promise.all(Array.from({ length: AT_ONCE }, () => sitDown(port, "127.0.0.2")));

it("10,000 connections of one address keep neither an Envoy nor an operator out", async () => {
  const { plane, port, call } = await started();
  for (let i = 0; i < SITTING; i += AT_ONCE) await flood(port);
  expect((await call("/edge/v1/watch", EDGE, WATCH)).status).toBe(200);
  expect((await call("/v1/sessions", ADMIN_TOKEN)).status).toBe(200);
  const metrics = await (await fetch(`${await plane.status()}/metrics`)).text();
  // Those in all; of that address fewer, unless all of them are young.
  const held = /^sluice_control_connections\{listener="api",authenticated="no"\} (\d+)$/m.exec(metrics)?.[1];
  expect(Number(held)).toBeLessThanOrEqual(2000);
}, 300_000);

it("callers of other addresses are served while one address opens connections without end", async () => {
  const { port, call } = await started();
  const handshaking = await sitDown(port, "127.0.0.3");
  for (let i = 0; i < 4; i++) {
    const opening = flood(port);
    const calls = [call("/edge/v1/watch", EDGE, WATCH), call("/v1/sessions", ADMIN_TOKEN)];
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200]);
    await opening;
  }
  const answer = once(handshaking.socket, "data");
  handshaking.socket.write(`GET /v1/sessions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_TOKEN}\r\n\r\n`);
  expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 200 /);
}, 300_000);

/** Asks to connect through, and resets the connection while the answer is on its way. */
const resetWhileAnswered = (port: number, afterMs: number): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write("CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n");
      setTimeout(() => {
        socket.resetAndDestroy();
      }, afterMs);
    });
    socket
      .on("error", () => undefined)
      .on("close", () => {
        resolve();
      });
  });

it("clients that reset in the middle of a CONNECT end neither the API nor the status listener", async () => {
  const { plane, port, call } = await started();
  const statusPort = Number(new URL(await plane.status()).port);
  for (const to of [port, statusPort]) {
    for (let i = 0; i < 50; i++) for (const afterMs of [0, 5]) await resetWhileAnswered(to, afterMs);
  }
  expect((await call("/v1/sessions", ADMIN_TOKEN)).status).toBe(200);
  expect((await fetch(`${await plane.status()}/healthz`)).status).toBe(200);
}, 300_000);
