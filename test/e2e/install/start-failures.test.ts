// npm start when something is wrong: one sentence that says what, and nothing left running.
import { once } from "node:events";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { ready, useNpmStart } from "../harness/npm-start.js";

const npm = useNpmStart();

it.each([
  ["Envoy", "envoy.yaml"],
  ["The control plane", "control-plane/src/main.js"],
  ["The demo service", "demo-service.js"],
])("npm start says so when %s dies, and stops the others", async (name, commandLine) => {
  await ready(npm().start());
  const [victim] = npm()
    .processes()
    .filter(({ command }) => command.includes(commandLine));
  process.kill(victim?.pid ?? 0, "SIGKILL");
  const { code, stderr } = await npm().first.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    new RegExp(`^sluice: ${name} was ended by SIGKILL.*its output is in ${npm().dataDir}/logs/\\S+\\.log\\.\n$`),
  );
  npm().nothingIsLeft();
});

it("npm start leaves nothing running when it is killed itself", async () => {
  await ready(npm().start());
  npm().first.process.kill("SIGKILL");
  await until(() => {
    npm().nothingIsLeft();
  });
});

describe("a second start beside one that runs", () => {
  /** Each file of the data folder, and when it was made and written. */
  const files = (): Record<string, string> =>
    Object.fromEntries(
      readdirSync(npm().dataDir, { recursive: true, withFileTypes: true })
        .filter((one) => one.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
        .map((file) => [file, `${statSync(file).ino}`]),
    );

  it.each([
    ["on the same ports", () => Promise.resolve({})],
    ["on other ports over the same data", otherPorts],
  ])("a second start %s ends with one sentence before it touches a file", async (_, env) => {
    const first = npm().start();
    await until(() => {
      expect(first.stdout).toContain("starting");
    });
    const before = files();
    expect(Object.keys(before)).not.toEqual([]);
    const { code, stderr } = await npm().start(await env()).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^sluice: npm start already runs over \S+ \(process \d+, proxy 127\.0\.0\.1:\d+\): stop .*\.\n$/,
    );
    expect(files()).toMatchObject(before);
    expect(first.process.exitCode).toBeNull();
  });

  async function otherPorts(): Promise<Record<string, string>> {
    const moved = ["PROXY", "ENVOY_ADMIN", "HTTP", "STATUS", "UPSTREAM"];
    const names = moved.map((one) => `SLUICE_${one}_PORT`);
    const ports = await freePorts(names.length);
    return Object.fromEntries(names.map((name, i) => [name, String(ports[i])]));
  }

  it("a start works once the first was killed, with nothing to remove by hand", async () => {
    const first = npm().start();
    await ready(first);
    first.process.kill("SIGKILL");
    await first.ended;
    await until(() => {
      npm().nothingIsLeft();
    });
    await ready(npm().start());
  });
});

it.each(["SLUICE_HTTP_PORT", "SLUICE_STATUS_PORT"])("npm start names the port in use that %s changes", async (name) => {
  const port = npm().env[name] ?? "";
  const server = createServer().listen(Number(port), "127.0.0.1");
  await once(server, "listening");
  const { code, stderr } = await npm().start().ended;
  server.close();
  expect(code).toBe(1);
  expect(stderr).toBe(
    `sluice: Port ${port} on 127.0.0.1 is in use, so the control plane cannot start: set ${name} to another port.\n`,
  );
});

it.each<[string, Record<string, string>, RegExp]>([
  [
    "a policy with a violation",
    { SLUICE_POLICY: "bad.yaml" },
    /^sluice: The policy cannot be used:\n {2}\S+bad.yaml:2:\d+ plans/,
  ],
  [
    "a policy that is not there",
    { SLUICE_POLICY: "none.yaml" },
    /^sluice: The policy \(SLUICE_POLICY\) cannot be read: /,
  ],
  ["a secret that is too short", { SLUICE_SECRET: "c2hvcnQ=" }, /^sluice: SLUICE_SECRET holds 5 bytes/],
  ["TLS of the control plane", { SLUICE_TLS_CERT_FILE: "tls.pem" }, /^sluice: SLUICE_TLS_CERT_FILE is set, and npm/],
  [
    "an Envoy that is not one",
    { ENVOY_BIN: "/bin/true" },
    /^sluice: ENVOY_BIN is \/bin\/true, which is not an Envoy: its --version names none\.\n$/,
  ],
  [
    "an Envoy that fails",
    { ENVOY_BIN: "/bin/false" },
    /^sluice: ENVOY_BIN is \/bin\/false, which does not run: exit code 1/,
  ],
  [
    "a misspelt variable",
    { SLUICE_PROXY_PROT: "1" },
    /^sluice: SLUICE_PROXY_PROT: there is no such setting; did you mean SLUICE_PROXY_PORT\?\n$/,
  ],
  [
    "a secret's file that is not there",
    { SLUICE_SECRET_FILE: "/nowhere" },
    /^sluice: SLUICE_SECRET_FILE: \/nowhere cannot be/,
  ],
  [
    "a data folder on /proc",
    { SLUICE_DATA_DIR: "/proc/sluice" },
    /^sluice: The data folder \(SLUICE_DATA_DIR\) cannot be/,
  ],
])("npm start rejects %s in one sentence, before anything runs", async (_, wrong, sentence) => {
  writeFileSync(join(npm().dataDir, "bad.yaml"), "version: 1\nplans: none\n");
  if (wrong.SLUICE_POLICY !== undefined) wrong.SLUICE_POLICY = join(npm().dataDir, wrong.SLUICE_POLICY);
  const { code, stderr } = await npm().start(wrong).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toContain("    at ");
});
