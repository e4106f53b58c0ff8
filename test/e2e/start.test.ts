// npm start as a user meets it: ready lines that work, one sentence when something is wrong, nothing left running.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { freePorts, requireFree } from "../../scripts/ports.js";
import { projectRoot } from "../../scripts/project-root.js";
import { readSettings, wantedPorts } from "../../scripts/settings.js";

const READY_MS = 60_000;
const GONE_MS = 15_000;

let dataDir: string;
let env: Record<string, string>;
let started: Started[];

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "sluice-start-"));
  const [proxy, admin, http, xds, upstream] = (await freePorts(5)).map(String);
  env = {
    SLUICE_PROXY_PORT: proxy ?? "",
    SLUICE_ENVOY_ADMIN_PORT: admin ?? "",
    SLUICE_HTTP_PORT: http ?? "",
    SLUICE_XDS_PORT: xds ?? "",
    SLUICE_UPSTREAM_PORT: upstream ?? "",
    SLUICE_DATA_DIR: dataDir,
  };
  started = [];
});

afterEach(async () => {
  for (const one of started) one.process.kill("SIGTERM");
  for (const one of started) await one.ended;
  await vi.waitFor(nothingIsLeft, GONE_MS);
  rmSync(dataDir, { recursive: true });
});

it("prints lines that work as they stand: without a session 401, with the printed one 200, and a new one 201", async () => {
  const said = await ready(start());
  const url = `http://127.0.0.1:${env.SLUICE_PROXY_PORT ?? ""}/`;
  expect(said).toContain(`  curl -i ${url}\n`);
  expect((await fetch(url)).status).toBe(401);

  const answer = await fetch(url, { headers: { "X-Session-ID": tokenIn(said) } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("ratelimit")).toMatch(/^"default";r=\d+/);
  expect(await answer.json()).toMatchObject({ service: "demo", method: "GET", path: "/" });

  const [, plane] = /curl -s -X POST (\S+)/.exec(said) ?? [];
  const [, adminTokenFile] = /Bearer \$\(cat (\S+)\)/.exec(said) ?? [];
  const [, body] = /-d '(.*)'/.exec(said) ?? [];
  const created = await fetch(plane ?? "", {
    method: "POST",
    headers: {
      authorization: `Bearer ${readFileSync(adminTokenFile ?? "", "utf8").trim()}`,
      "content-type": "application/json",
    },
    body: body ?? "",
  });
  expect(created.status).toBe(201);
});

it("keeps secrets where only their owner reads them, and tokens out of every file", async () => {
  const said = await ready(start());
  const token = tokenIn(said);
  await fetch(`http://127.0.0.1:${env.SLUICE_PROXY_PORT ?? ""}/`, { headers: { "X-Session-ID": token } });
  const secrets = ["secret", "admin-token"].map((name) => readFileSync(join(dataDir, name), "utf8").trim());
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  for (const name of ["secret", "admin-token"]) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);

  await stopped(first(), "SIGTERM");
  for (const file of filesBelow(dataDir)) {
    const text = readFileSync(file, "latin1");
    expect(text.includes(token), `a session token in ${file}`).toBe(false);
    if (file.endsWith("/secret") || file.endsWith("/admin-token")) continue;
    for (const secret of secrets) expect(text.includes(secret), `a secret in ${file}`).toBe(false);
  }
});

it("starts again with the same sessions", async () => {
  const token = tokenIn(await ready(start()));
  await stopped(first(), "SIGINT");
  await ready(start());
  const again = await fetch(`http://127.0.0.1:${env.SLUICE_PROXY_PORT ?? ""}/`, { headers: { "X-Session-ID": token } });
  expect(again.status).toBe(200);
});

it("keeps of the filters of older builds the last one, which an Envoy may still have, and no more", async () => {
  const folder = join(dataDir, "filter");
  const [older, old] = ["sluice-000000000001.wasm", "sluice-000000000002.wasm"] as const;
  mkdirSync(folder);
  for (const name of [older, old]) writeFileSync(join(folder, name), "an older build");
  utimesSync(join(folder, older), 1, 1);
  await ready(start());
  expect(readdirSync(folder)).toHaveLength(2);
  expect(readdirSync(folder)).toContain(old);
});

it("stops everything on Ctrl-C, also when npm passes the signal on a second time", async () => {
  await ready(start());
  first().process.kill("SIGINT");
  expect(await stopped(first(), "SIGINT")).toMatchObject({ code: 0 });
  nothingIsLeft();
  await requireFree(wantedPorts(readSettings(env)));
});

it("stops everything when it is told to before it is ready", async () => {
  const early = start();
  await vi.waitFor(() => {
    expect(early.stdout).toContain("starting");
  }, READY_MS);
  expect(await stopped(early, "SIGTERM")).toMatchObject({ code: 0 });
  nothingIsLeft();
});

it.each([
  ["Envoy", "envoy.yaml"],
  ["The control plane", "control-plane/src/main.js"],
  ["The demo service", "demo-service.js"],
])("says so when %s dies, and takes the others down", async (name, commandLine) => {
  await ready(start());
  const [victim] = ourProcesses().filter(({ command }) => command.includes(commandLine));
  process.kill(victim?.pid ?? 0, "SIGKILL");
  const { code, stderr } = await first().ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    new RegExp(`^sluice: ${name} was ended by SIGKILL.*its output is in ${dataDir}/logs/\\S+\\.log\\.\n$`),
  );
  nothingIsLeft();
});

it("leaves nothing running when it is killed itself", async () => {
  await ready(start());
  first().process.kill("SIGKILL");
  await vi.waitFor(nothingIsLeft, GONE_MS);
});

it("names the port that is in use and the variable that changes it", async () => {
  const server = createServer().listen(Number(env.SLUICE_XDS_PORT), "127.0.0.1");
  await once(server, "listening");
  const { code, stderr } = await start().ended;
  server.close();
  expect(code).toBe(1);
  expect(stderr).toBe(
    `sluice: Port ${env.SLUICE_XDS_PORT ?? ""} on 127.0.0.1 is in use, so the xDS server cannot start: ` +
      "set SLUICE_XDS_PORT to another port.\n",
  );
});

it.each<[string, Record<string, string>, RegExp]>([
  [
    "a policy with a fault",
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
  ["an Envoy that is not one", { ENVOY_BIN: "/bin/false" }, /^sluice: ENVOY_BIN is \/bin\/false, which does not run/],
])("refuses %s in one sentence, before anything runs", async (_, wrong, sentence) => {
  writeFileSync(join(dataDir, "bad.yaml"), "version: 1\nplans: none\n");
  if (wrong.SLUICE_POLICY !== undefined) wrong.SLUICE_POLICY = join(dataDir, wrong.SLUICE_POLICY);
  const { code, stderr } = await start(wrong).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toContain("    at ");
});

interface End {
  code: number | null;
  stderr: string;
}

interface Started {
  process: ChildProcess;
  stdout: string;
  stderr: string;
  ended: Promise<End>;
}

function start(more: Record<string, string | undefined> = {}): Started {
  const child = spawn(process.execPath, [join(projectRoot, "build/js/scripts/start.js")], {
    env: { ...process.env, ...env, ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stderr: one.stderr }));
  const one: Started = { process: child, stdout: "", stderr: "", ended };
  child.stdout.on("data", (chunk: Buffer) => (one.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (one.stderr += chunk.toString()));
  started.push(one);
  return one;
}

async function ready(one: Started): Promise<string> {
  await vi.waitFor(() => {
    expect(one.stderr).toBe("");
    expect(one.stdout).toMatch(/^ready: /m);
    expect(one.stdout).toContain("Stop: Ctrl-C");
  }, READY_MS);
  return one.stdout;
}

async function stopped(one: Started, signal: NodeJS.Signals): Promise<End> {
  one.process.kill(signal);
  return one.ended;
}

function first(): Started {
  const [one] = started;
  if (one === undefined) throw new Error("nothing was started");
  return one;
}

function tokenIn(said: string): string {
  const [, token] = /X-Session-ID: ([\w-]{48})"/.exec(said) ?? [];
  if (token === undefined) throw new Error(`no token in ${said}`);
  return token;
}

/** Every process that was started with this test's data folder or its demo port. A zombie has neither. */
function ourProcesses(): { pid: number; command: string }[] {
  const marks = [dataDir, `SLUICE_UPSTREAM_PORT=${env.SLUICE_UPSTREAM_PORT ?? ""} `];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({
      pid: Number(name),
      command: ofProcess(name, "cmdline"),
      environment: ofProcess(name, "environ"),
    }))
    .filter(({ command, environment }) => marks.some((mark) => `${command} ${environment}`.includes(mark)))
    .map(({ pid, command }) => ({ pid, command }));
}

function ofProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function nothingIsLeft(): void {
  expect(ourProcesses()).toEqual([]);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
