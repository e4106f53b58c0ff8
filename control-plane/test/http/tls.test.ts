// TLS and mutual TLS, as an operator sets it by files.
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { RequestOptions } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { FileReader } from "../../src/files/file-reader.js";
import { loadTls } from "../../src/tls/tls.js";
import type { TlsFiles } from "../../src/tls/tls.js";
import { authorityIn, pem, withHalfACertificate } from "../support/certificates.js";
import type { Authority, Identity } from "../support/certificates.js";
import { ADMIN_TOKEN, startTestControlPlane } from "../support/control-plane.js";
import { ControlPlaneProcess, settingsIn } from "../support/process.js";

let folder: string;
let authority: Authority;
let strangers: Authority;
let server: Identity;
let client: Identity;
let stranger: Identity;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-tls-"));
  authority = authorityIn(folder, "authority");
  strangers = authorityIn(folder, "strangers");
  server = authority.issue("server");
  client = authority.issue("client");
  stranger = strangers.issue("stranger");
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const reader = new FileReader();
const files = (mutual: boolean): TlsFiles => ({
  cert: { variable: "SLUICE_TLS_CERT_FILE", path: server.cert },
  key: { variable: "SLUICE_TLS_KEY_FILE", path: server.key },
  clientCa: mutual ? { variable: "SLUICE_TLS_CLIENT_CA_FILE", path: authority.cert } : null,
});

/** The status of the answer to a list of sessions. A rejection where the connection fails. */
async function status(port: number, shown?: Identity, path = "/v1/sessions"): Promise<number | undefined> {
  const options: RequestOptions = {
    host: "127.0.0.1",
    port,
    path,
    ca: readFileSync(authority.cert),
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    agent: false,
    ...(shown === undefined ? {} : pem(shown)),
  };
  const call = request(options);
  call.end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe("the HTTP server", () => {
  it("the server speaks TLS, and asks for no certificate without a client authority", async () => {
    const { url } = await startTestControlPlane(undefined, { tls: await loadTls(files(false), reader) });
    const port = Number(new URL(url).port);
    expect(await status(port)).toBe(200);
    await expect(fetch(`http://127.0.0.1:${port}/openapi.json`)).rejects.toThrow();
  });

  it("the server answers only callers with a certificate of the client authority", async () => {
    const { url } = await startTestControlPlane(undefined, { tls: await loadTls(files(true), reader) });
    const port = Number(new URL(url).port);
    expect(await status(port, client)).toBe(200);
    await expect(status(port)).rejects.toThrow();
    await expect(status(port, stranger)).rejects.toThrow();
  });
});

describe("a control plane with TLS that is told to stop", () => {
  it("a stop ends with 0 while a caller hangs in its TLS handshake", async () => {
    const plane = new ControlPlaneProcess({
      ...settingsIn(),
      SLUICE_TLS_CERT_FILE: server.cert,
      SLUICE_TLS_KEY_FILE: server.key,
    });
    const port = await plane.port();
    const hanging = connect(port, "127.0.0.1").on("error", () => undefined);
    await once(hanging, "connect");
    expect(await status(port)).toBe(200);
    plane.kill("SIGTERM");
    expect(await plane.ended).toEqual({ code: 0, signal: null });
    hanging.destroy();
  });
});

describe("the port's own TLS settings", () => {
  it("the port asks for no certificate where its own setting unsets the shared authority", async () => {
    const plane = new ControlPlaneProcess({
      ...settingsIn(),
      SLUICE_TLS_CERT_FILE: server.cert,
      SLUICE_TLS_KEY_FILE: server.key,
      SLUICE_TLS_CLIENT_CA_FILE: authority.cert,
      SLUICE_HTTP_TLS_CLIENT_CA_FILE: "none",
    });
    expect(await status(await plane.port())).toBe(200);
  });
});

/** A file that holds a certificate, and half of the next. */
function cutOff(whole: Identity): string {
  const path = join(folder, "cut-off.pem");
  writeFileSync(path, withHalfACertificate(whole.cert, strangers.cert));
  return path;
}

describe("TLS files that cannot be used", () => {
  const cases: [what: string, change: (good: TlsFiles) => TlsFiles, message: () => string][] = [
    [
      "a missing one",
      (good) => ({ ...good, cert: { ...good.cert, path: join(folder, "none.crt") } }),
      () => `SLUICE_TLS_CERT_FILE: ${join(folder, "none.crt")} cannot be read: ENOENT`,
    ],
    [
      "a key that is none",
      (good) => ({ ...good, key: { ...good.key, path: server.cert } }),
      () => `SLUICE_TLS_KEY_FILE: ${server.cert} does not hold an unencrypted private key in PEM`,
    ],
    [
      "a certificate that is none",
      (good) => ({ ...good, cert: { ...good.cert, path: server.key } }),
      () => `SLUICE_TLS_CERT_FILE: ${server.key} does not hold a certificate in PEM`,
    ],
    [
      "the key of another certificate",
      (good) => ({ ...good, key: { ...good.key, path: client.key } }),
      () =>
        `SLUICE_TLS_KEY_FILE: ${client.key} is not the key of the certificate in ${server.cert} (SLUICE_TLS_CERT_FILE)`,
    ],
    [
      "an authority that is none",
      (good) => ({ ...good, clientCa: { variable: "SLUICE_TLS_CLIENT_CA_FILE", path: server.key } }),
      () => `SLUICE_TLS_CLIENT_CA_FILE: ${server.key} does not hold certificates in PEM`,
    ],
    [
      "a chain whose second certificate is cut off",
      (good) => ({ ...good, cert: { ...good.cert, path: cutOff(server) } }),
      () => `SLUICE_TLS_CERT_FILE: TLS cannot use ${join(folder, "cut-off.pem")} and what belongs to it: error:`,
    ],
    [
      "authorities the second of which is cut off",
      (good) => ({ ...good, clientCa: { variable: "SLUICE_TLS_CLIENT_CA_FILE", path: cutOff(authority) } }),
      () => `SLUICE_TLS_CLIENT_CA_FILE: ${join(folder, "cut-off.pem")} does not hold certificates in PEM`,
    ],
  ];
  it.each(cases)(
    "%s stops the start, named by its variable and without its content",
    async (_what, change, message) => {
      await expect(loadTls(change(files(true)), reader)).rejects.toThrow(message());
    },
  );

  it("several authorities that are whole are accepted", async () => {
    const path = join(folder, "both.crt");
    writeFileSync(path, [authority, strangers].map(({ cert }) => readFileSync(cert, "latin1")).join("# a remark\n"));
    const clientCa = { variable: "SLUICE_TLS_CLIENT_CA_FILE", path };
    expect((await loadTls({ ...files(true), clientCa }, reader)).clientCa).toEqual(readFileSync(path));
  });

  it("a TLS file that cannot be used ends the process with 78, in one sentence", async () => {
    const broken = join(folder, "broken.crt");
    writeFileSync(broken, "no certificate");
    const plane = new ControlPlaneProcess({
      ...settingsIn(),
      SLUICE_TLS_CERT_FILE: broken,
      SLUICE_TLS_KEY_FILE: server.key,
    });
    expect(await plane.ended).toEqual({ code: 78, signal: null });
    expect(plane.stderr).toBe(
      `sluice control plane: SLUICE_TLS_CERT_FILE: ${broken} does not hold a certificate in PEM\n`,
    );
  });
});
