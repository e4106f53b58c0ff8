// The control plane as it is set by default, while one address opens every connection that it can.
import { expect, it } from "vitest";

import { deriveKeys } from "../../src/domain/keys.js";
import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn } from "../support/process.js";
import { sitDown } from "../support/sitting.js";

const SITTING = 10_000;
const AT_ONCE = 500;

it("10,000 connections of one address keep neither an Envoy nor an operator out", async () => {
  const plane = new ControlPlaneProcess(settingsIn());
  const url = await plane.listening();
  const port = Number(new URL(url).port);
  const call = (path: string, token: string, body?: object): Promise<Response> =>
    fetch(url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", connection: "close" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  for (let i = 0; i < SITTING; i += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => sitDown(port, "127.0.0.2")));
  }
  const watch = { edge: "gw-1", instance: "0".repeat(16), since: 0 };
  const edge = deriveKeys(Buffer.from(SECRET, "hex")).edgeCredential;
  expect((await call("/edge/v1/watch", edge, watch)).status).toBe(200);
  expect((await call("/v1/sessions", ADMIN_TOKEN)).status).toBe(200);
  const metrics = await (await call("/metrics", ADMIN_TOKEN)).text();
  // Those in all; of that address fewer, unless all of them are young.
  const held = /^sluice_control_connections\{authenticated="no"\} (\d+)$/m.exec(metrics)?.[1];
  expect(Number(held)).toBeLessThanOrEqual(2000);
}, 60_000);
