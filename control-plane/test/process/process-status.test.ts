// The status listener of the process: beside mutual TLS, at the stop, and where it cannot be opened.
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";

import { notRun } from "../../../scripts/test/not-run.js";
import { authorityIn } from "../support/certificates.js";
import { ADMIN_TOKEN, ControlPlaneProcess, settingsIn, temporaryFolder } from "../support/process.js";

const PATHS = ["/healthz", "/readyz", "/metrics"];
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

async function statuses(url: string): Promise<number[]> {
  return Promise.all(PATHS.map(async (path) => (await fetch(url + path)).status));
}

describe("a supervisor's probe", () => {
  it("a probe without a certificate passes where the API asks for one", async () => {
    const authority = authorityIn(temporaryFolder(), "authority");
    const { cert, key } = authority.issue("server");
    const plane = new ControlPlaneProcess({
      ...settingsIn(),
      SLUICE_TLS_CERT_FILE: cert,
      SLUICE_TLS_KEY_FILE: key,
      SLUICE_TLS_CLIENT_CA_FILE: authority.cert,
    });
    expect(await statuses(await plane.status())).toEqual([200, 200, 200]);
    await expect(fetch(`https://127.0.0.1:${await plane.port()}/healthz`)).rejects.toThrow();
  });

  it("a probe over IPv6 passes, and the API's listener says where in the form of a URL", async (context) => {
    if (!hasIpv6) notRun(context, "this machine has no ::1");
    const plane = new ControlPlaneProcess({ ...settingsIn(), SLUICE_STATUS_HOST: "::1" });
    const line = await plane.logLine("listening");
    expect(line).toMatchObject({ http: [{ address: "127.0.0.1" }], status: [{ address: "::1", family: "IPv6" }] });
    const [{ port }] = (line as { status: [AddressInfo] }).status;
    expect(await statuses(`http://[::1]:${port}`)).toEqual([200, 200, 200]);
    const moved = await (await fetch(`${await plane.listening()}/readyz`)).text();
    expect(moved).toContain(`/readyz is on the status listener, [::1]:${port} (`);
  });
});

describe("a stop, as a supervisor sees it", () => {
  it("a stop makes the control plane not ready at once, and the status listener closes last", async () => {
    const plane = new ControlPlaneProcess(settingsIn());
    const [http, status] = [await plane.port(), await plane.status()];
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
    const call = request({
      ...{ port: http, path: "/v1/sessions", method: "POST" },
      headers: { ...headers, expect: "100-continue" },
    });
    const answered = once(call, "response") as Promise<[IncomingMessage]>;
    call.flushHeaders();
    await once(call, "continue");
    plane.kill("SIGTERM");
    await plane.logLine("stopping");
    // The call is under way still, and the API takes no more.
    const ready = await fetch(`${status}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining("The control plane is stopping")]);
    expect((await fetch(`${status}/healthz`)).status).toBe(200);
    call.end('{"userId":"u1","orgId":"o1"}');
    const [response] = await answered;
    expect([response.statusCode, (await text(response)).includes("token")]).toEqual([201, true]);
    expect(await plane.ended).toEqual({ code: 0, signal: null });
  });

  it("a stop ends with 0 while a caller holds a connection of the status listener", async () => {
    const plane = new ControlPlaneProcess(settingsIn());
    const url = new URL(await plane.status());
    const socket = connect(Number(url.port), url.hostname).on("error", () => undefined);
    await once(socket, "connect");
    socket.write("GET /metrics HTTP/1.1\r\nhost: x\r\n");
    await sleep(50);
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: 0, signal: null });
    socket.destroy();
  });
});

describe("a listener that cannot be opened", () => {
  const cannot = async (settings: Record<string, string>, code = 78): Promise<string> => {
    const plane = new ControlPlaneProcess({ ...settingsIn(), ...settings });
    expect(await plane.ended).toEqual({ code, signal: null });
    return plane.stderr;
  };

  it("a status port that is taken ends the start in one sentence that names its setting", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    expect(await cannot({ SLUICE_STATUS_PORT: String(port) }, 1)).toBe(
      `sluice control plane: 127.0.0.1:${port} is already in use: ` +
        "stop what listens there, or set SLUICE_STATUS_PORT to another port\n",
    );
  });

  it.each(["SLUICE_HTTP", "SLUICE_STATUS"])("a host of %s that is not this machine's is named", async (listener) => {
    for (const host of ["192.0.2.1", "no-such-host.invalid"]) {
      const said = await cannot({ [`${listener}_HOST`]: host });
      expect(said).toMatch(
        new RegExp(`^sluice control plane: ${listener}_HOST: expected an address of this machine.*"${host}".*\n$`),
      );
    }
  });

  it("one port for both listeners ends the start in one sentence that names both settings", async () => {
    expect(await cannot({ SLUICE_HTTP_PORT: "8081", SLUICE_STATUS_PORT: "8081" })).toMatch(
      /^sluice control plane: SLUICE_HTTP_PORT and SLUICE_STATUS_PORT are both 8081, .*\n$/,
    );
  });
});
