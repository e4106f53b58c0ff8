// The command line over https: whom it trusts, what it shows of itself, and what it says where the two sides differ.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

import { authorityIn, pem } from "../support/certificates.js";
import type { Authority } from "../support/certificates.js";
import { sluice } from "../support/cli.js";
import { startTestControlPlane } from "../support/control-plane.js";
import { answer, answering, listening } from "../support/scripted-server.js";

let folder: string;
let authority: Authority;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-cli-tls-"));
  authority = authorityIn(folder, "authority");
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it("the command trusts SLUICE_TLS_CA_FILE, and shows a client certificate where one is wanted", async () => {
  const clientCa = readFileSync(authority.cert);
  const plane = await startTestControlPlane(undefined, { tls: { ...pem(authority.issue("server")), clientCa } });
  const client = authority.issue("client");
  const text = (path: string): string => readFileSync(path, "utf8");
  const files = { ca: text(authority.cert), cert: text(client.cert), key: text(client.key) };
  const ca = { SLUICE_TLS_CA_FILE: "ca" };
  const own = { SLUICE_CLIENT_CERT_FILE: "cert", SLUICE_CLIENT_KEY_FILE: "key" };

  expect(await sluice("edges", { url: plane.url, files, env: { ...ca, ...own } })).toMatchObject({ code: 0 });
  const stranger = await sluice("edges", { url: plane.url, files, env: own });
  expect(stranger).toMatchObject({ code: 3, out: "", slept: [] });
  expect(stranger.err).toContain("SLUICE_TLS_CA_FILE");
  expect(await sluice("edges", { url: plane.url, files, env: ca })).toMatchObject({ code: 3, out: "" });
});

it("a server without TLS is named as one", async () => {
  const { url } = await answering(answer(200, { edges: [] }));
  const ran = await sluice("edges", { url: url.replace("http:", "https:") });
  expect(ran).toMatchObject({ code: 3, out: "", slept: [] });
  expect(ran.err).toMatch(/^sluice: UNREACHABLE: .*: it does not speak TLS\nTry http:\/\/ in SLUICE_URL\n$/);
});

it("plain http to a server that perhaps speaks https is named as that", async () => {
  const { url } = await startTestControlPlane(undefined, {
    tls: { ...pem(authority.issue("server")), clientCa: null },
  });
  const ran = await sluice("edges", { url: url.replace("https:", "http:") });
  expect(ran).toMatchObject({ code: 3, out: "" });
  expect(ran.err).toContain("it closed the connection without an answer; perhaps it speaks https\n");
  const alerting = createSocketServer((socket) => socket.end(Buffer.of(0x15, 3, 1, 0, 2, 2, 0x46)));
  const alerted = await sluice("edges", { url: await listening(alerting) });
  expect(alerted.err).toContain("its answer is not HTTP; perhaps it speaks https\n");
});

it.each(["TLSv1.2", "TLSv1.3"] as const)("a client certificate that a server demands is named: %s", async (version) => {
  const { cert, key } = pem(authority.issue("server"));
  const ca = readFileSync(authority.cert, "utf8");
  const server = createTlsServer({ cert, key, ca, requestCert: true, maxVersion: version });
  const url = (await listening(server)).replace("http:", "https:");
  const ran = await sluice("edges", { url, files: { ca }, env: { SLUICE_TLS_CA_FILE: "ca" } });
  expect(ran).toMatchObject({ code: 3, out: "", slept: [] });
  expect(ran.err).toMatch(/it demands a client certificate\n.*SLUICE_CLIENT_CERT_FILE and SLUICE_CLIENT_KEY_FILE\n$/);
  expect(ran.err).not.toMatch(/routines|u\{a\}/);
});

it("a key of another certificate is exit code 2", async () => {
  const files = {
    cert: readFileSync(authority.issue("client").cert, "utf8"),
    key: readFileSync(authority.issue("another").key, "utf8"),
  };
  const env = { SLUICE_CLIENT_CERT_FILE: "cert", SLUICE_CLIENT_KEY_FILE: "key" };
  const ran = await sluice("edges", { url: "https://127.0.0.1:1", env, files });
  expect(ran).toMatchObject({ code: 2, out: "" });
  expect(ran.err).toBe(
    "sluice: SLUICE_CLIENT_KEY_FILE: it is not the key of the certificate in SLUICE_CLIENT_CERT_FILE\n",
  );
});

it.each([
  [{ SLUICE_TLS_CA_FILE: "none" }, "SLUICE_TLS_CA_FILE: none cannot be read"],
  [{ SLUICE_TLS_CA_FILE: "junk", SLUICE_CLIENT_CERT_FILE: "junk" }, "go together"],
  [{ SLUICE_CLIENT_CERT_FILE: "junk", SLUICE_CLIENT_KEY_FILE: "junk" }, "in PEM"],
])("TLS files that cannot be used are exit code 2: %j", async (env, said) => {
  const ran = await sluice("edges", { url: "https://127.0.0.1:1", env, files: { junk: "junk" } });
  expect(ran).toMatchObject({ code: 2, out: "" });
  expect(ran.err).toContain(said);
});
