// The control plane as a process: what survives its death, how it stops, and why it does not start.
import { createServer, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";

import { ADMIN_TOKEN, ControlPlaneProcess, SECRET, settingsIn } from "../support/process.js";

const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
const body = JSON.stringify({ userId: "u1", orgId: "o1" });

interface Created {
  readonly session: { readonly id: string };
  readonly token: string;
}

async function create(url: string): Promise<Created> {
  const response = await fetch(`${url}/v1/sessions`, { method: "POST", headers, body });
  expect(response.status).toBe(201);
  return (await response.json()) as Created;
}

async function state(url: string, id: string): Promise<string> {
  const response = await fetch(`${url}/v1/sessions/${id}`, { headers });
  expect(response.status).toBe(200);
  return ((await response.json()) as { session: { state: string } }).session.state;
}

describe("a control plane that is killed", () => {
  it("a session survives a kill right after its 201, and a revocation one after its 204", async () => {
    const settings = settingsIn();
    const first = new ControlPlaneProcess(settings);
    const firstUrl = await first.listening();
    const revoked = await create(firstUrl);
    const response = await fetch(`${firstUrl}/v1/sessions/${revoked.session.id}`, {
      method: "DELETE",
      headers: { authorization: headers.authorization },
    });
    expect(response.status).toBe(204);
    const kept = await create(firstUrl);
    first.kill("SIGKILL");
    expect(await first.ended).toEqual({ code: null, signal: "SIGKILL" });

    const second = new ControlPlaneProcess(settings);
    const secondUrl = await second.listening();
    expect(await state(secondUrl, kept.session.id)).toBe("live");
    expect(await state(secondUrl, revoked.session.id)).toBe("revoked");
  });
});

describe("a control plane that is told to stop", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "a stop by %s finishes the call under way, and ends with 0",
    async (signal) => {
      const plane = new ControlPlaneProcess(settingsIn());
      const http = await plane.port();
      const call = request({
        port: http,
        path: "/v1/sessions",
        method: "POST",
        headers: { ...headers, expect: "100-continue" },
      });
      const answered = once(call, "response") as Promise<[IncomingMessage]>;
      call.flushHeaders();
      await once(call, "continue");
      plane.kill(signal);
      await plane.logLine("stopping");
      call.end(body);
      const [response] = await answered;
      expect([response.statusCode, response.headers.connection]).toEqual([201, "close"]);
      expect(await text(response)).toContain('"token"');
      expect(await plane.ended).toEqual({ code: 0, signal: null });
    },
  );
});

describe("a control plane that cannot start", () => {
  const cannot = async (settings: Record<string, string>, code = 78): Promise<string> => {
    const plane = new ControlPlaneProcess(settings);
    expect(await plane.ended).toEqual({ code, signal: null });
    return plane.stderr;
  };

  it("a port that is taken ends the start with 1, in one sentence", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const port = String((other.address() as AddressInfo).port);
    expect(await cannot({ ...settingsIn(), SLUICE_HTTP_PORT: port }, 1)).toBe(
      `sluice control plane: 127.0.0.1:${port} is already in use: ` +
        "stop what listens there, or set SLUICE_HTTP_PORT to another port\n",
    );
  });

  it("a secret or token that cannot be used ends the start with 78, and is not shown", async () => {
    const settings = { ...settingsIn(), SLUICE_SECRET: "c2hvcnQ-secret", SLUICE_ADMIN_TOKEN: "short-token" };
    const said = await cannot(settings);
    expect(said).toContain("SLUICE_SECRET");
    expect(said).toContain("SLUICE_ADMIN_TOKEN");
    expect(said.trim().split("\n")).toHaveLength(2);
    expect(said).not.toMatch(/c2hvcnQ|short-token/);
  });

  it("a missing policy ends the start with 78, in one sentence", async () => {
    const settings = settingsIn();
    expect(await cannot({ ...settings, SLUICE_POLICY: "/nowhere/policy.yaml" })).toContain("/nowhere/policy.yaml");
  });
});

describe("a control plane that runs", () => {
  it("the log says once at the start which settings are no longer used", async () => {
    const plane = new ControlPlaneProcess({ ...settingsIn(), SLUICE_XDS_PORT: "0", SLUICE_FILTER_PATH: "/f.wasm" });
    await plane.port();
    expect(plane.stdout.match(/"event":"settings-replaced"/g)).toHaveLength(1);
  });

  it("the log has no secret, at any level", async () => {
    const plane = new ControlPlaneProcess({ ...settingsIn(), SLUICE_LOG_LEVEL: "trace" });
    const { token } = await create(await plane.listening());
    plane.kill("SIGTERM");
    await plane.ended;
    expect(plane.stdout).toContain("session-created");
    for (const secret of [token, ADMIN_TOKEN, SECRET]) expect(plane.stdout + plane.stderr).not.toContain(secret);
  });
});
