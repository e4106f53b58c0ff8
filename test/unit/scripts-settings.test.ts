// What a user may set for npm start, and the sentences for what cannot be right.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../scripts/failure.js";
import { freePorts, requireFree } from "../../scripts/start/ports.js";
import { projectRoot } from "../../scripts/project-root.js";
import { keptSecret, makePrivateFolder } from "../../scripts/start/secret-files.js";
import { readSettings, wantedPorts } from "../../scripts/start/settings.js";

describe("the environment of npm start", () => {
  it("an empty environment gives the documented defaults, on loopback", () => {
    const settings = readSettings({});
    expect(wantedPorts(settings).map(({ host, port, variable }) => [variable, host, port])).toEqual([
      ["SLUICE_PROXY_PORT", "127.0.0.1", 10000],
      ["SLUICE_ENVOY_ADMIN_PORT", "127.0.0.1", 9901],
      ["SLUICE_HTTP_PORT", "127.0.0.1", 8080],
      ["SLUICE_STATUS_PORT", "127.0.0.1", 8081],
      ["SLUICE_UPSTREAM_PORT", "127.0.0.1", 8000],
    ]);
    expect(settings.dataDir).toBe(join(projectRoot, ".sluice"));
    expect(settings.policyFile).toBe(join(projectRoot, "policy.yaml"));
  });

  it("an empty variable counts as one that is not set", () => {
    expect(readSettings({ SLUICE_PROXY_PORT: "", SLUICE_SECRET: "" })).toEqual(readSettings({}));
  });

  it.each(["0", "65536", "80a", "-1", "1e3", " 80"])("the port %j is rejected by the name of its variable", (text) => {
    expect(() => readSettings({ SLUICE_HTTP_PORT: text })).toThrow(
      `SLUICE_HTTP_PORT must be a port from 1 to 65535, got "${text}".`,
    );
  });

  it("two variables that claim the same port are both named", () => {
    expect(() => readSettings({ SLUICE_HTTP_PORT: "8000" })).toThrow(
      "SLUICE_HTTP_PORT and SLUICE_UPSTREAM_PORT are both 8000.",
    );
  });
});

describe("TLS of the control plane", () => {
  const rejection = (name: string): string =>
    `${name} is set, and npm start does not know TLS: unset it here, or run the control plane by itself ` +
    "(docs/deploy.md, docs/operations.md).";

  it.each(["SLUICE_TLS_CERT_FILE", "SLUICE_TLS_KEY_FILE", "SLUICE_HTTP_TLS_CLIENT_CA_FILE"])(
    "%s is rejected in one sentence by npm start",
    (name) => {
      expect(() => readSettings({ [name]: "/etc/sluice/tls.pem" })).toThrow(rejection(name));
    },
  );

  it("TLS is off where its variables are empty or say so", () => {
    const env = { SLUICE_TLS_CERT_FILE: "", SLUICE_TLS_KEY_FILE: "none", SLUICE_TLS_CA_FILE: "/etc/ca.pem" };
    expect(readSettings(env)).toEqual(readSettings({}));
  });
});

describe("a port in use", () => {
  it("a port in use is named in one sentence with the variable that changes it", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const [free = 0] = await freePorts(1);
    const wanted = [
      { host: "127.0.0.1", port: free, purpose: "the control plane", variable: "SLUICE_HTTP_PORT" },
      { host: "127.0.0.1", port, purpose: "the proxy", variable: "SLUICE_PROXY_PORT" },
    ];
    await expect(requireFree(wanted)).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use, so the proxy cannot start: set SLUICE_PROXY_PORT to another port.`,
    );
    server.close();
  });
});

describe("secrets that nobody set", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-secrets-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("secrets are made once, kept, and readable by their owner only", async () => {
    const data = join(folder, "data");
    makePrivateFolder(data);
    const first = await keptSecret(data, "secret", "base64");
    expect(Buffer.from(first, "base64")).toHaveLength(32);
    expect(await keptSecret(data, "secret", "base64")).toBe(first);
    expect(await keptSecret(data, "other", "base64")).not.toBe(first);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(statSync(join(data, "secret")).mode & 0o777).toBe(0o600);
  });

  it("secrets that were left open are closed to others", async () => {
    writeFileSync(join(folder, "secret"), "kept\n", { mode: 0o644 });
    expect(await keptSecret(folder, "secret", "base64")).toBe("kept");
    expect(statSync(join(folder, "secret")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, "secret"), "utf8")).toBe("kept\n");
  });

  it("secrets in whose place a pipe stands are rejected in one sentence, and nobody waits", async () => {
    const path = join(folder, "secret");
    execFileSync("mkfifo", [path]);
    await expect(keptSecret(folder, "secret", "base64")).rejects.toThrow(
      new Failure(`${path} cannot be read: expected a regular file, got a pipe.`),
    );
  });
});
