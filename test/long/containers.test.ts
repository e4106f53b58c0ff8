// docker compose up with the repository's files, on the engine that answers. The test starts no engine.
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePorts } from "../../scripts/start/ports.js";
import { projectRoot } from "../../scripts/project-root.js";
import { runCommand } from "../../scripts/run-command.js";
import { notRun } from "../../scripts/test/not-run.js";

const BUILD_AND_START_MS = 600_000;
const DOWN_MS = 120_000;
const SERVICES = ["control-plane", "demo", "envoy"];

/** Why there is nothing to test on; undefined where an engine with Compose answers. */
const noEngine = await reasonForNoEngine();
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const [proxy, http, status] = await freePorts(3);
  // A project of its own: a Sluice that is running on this machine keeps its containers and volumes.
  env = {
    ...process.env,
    COMPOSE_PROJECT_NAME: `sluice-test-${process.pid}`,
    SLUICE_PROXY_PORT: String(proxy),
    SLUICE_HTTP_PORT: String(http),
    SLUICE_STATUS_PORT: String(status),
  };
});

afterAll(async () => {
  if (noEngine === undefined) await compose("down", "--volumes", "--remove-orphans");
}, DOWN_MS);

it(
  "docker compose up serves at once, unprivileged, and docker compose down is clean",
  async (context) => {
    if (noEngine !== undefined) notRun(context, noEngine);
    await compose("up", "--detach", "--wait");

    const proxy = `http://127.0.0.1:${env.SLUICE_PROXY_PORT ?? ""}/`;
    expect((await fetch(proxy)).status).toBe(401);
    const answer = await fetch(proxy, { headers: { "X-Session-ID": await newToken() } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("ratelimit")).toMatch(/^"default";r=\d+/);
    expect(await answer.json()).toMatchObject({ service: "demo" });
    expect((await fetch(`http://127.0.0.1:${env.SLUICE_STATUS_PORT ?? ""}/readyz`)).status).toBe(200);

    for (const service of SERVICES) {
      expect(await compose("exec", "-T", service, "id", "-u"), `the user of ${service}`).toBe("1000\n");
    }
    const secret = (await compose("exec", "-T", "control-plane", "cat", "/run/sluice/secret")).trim();
    expect(Buffer.from(secret, "base64")).toHaveLength(32);
    const modes = await compose("exec", "-T", "control-plane", "sh", "-c", "stat -c %a /run/sluice/*");
    expect(modes).toBe("600\n600\n600\n600\n");
    const logs = await compose("logs", "--no-color");
    expect(logs.includes(secret), "the secret in a log").toBe(false);

    await compose("down", "--volumes");
    expect(await docker("ps", "--all", "--quiet", "--filter", projectLabel())).toBe("");
    expect(await docker("volume", "ls", "--quiet", "--filter", projectLabel())).toBe("");
  },
  BUILD_AND_START_MS,
);

function projectLabel(): string {
  return `label=com.docker.compose.project=${env.COMPOSE_PROJECT_NAME ?? ""}`;
}

async function newToken(): Promise<string> {
  const adminToken = await compose("exec", "-T", "control-plane", "cat", "/run/sluice/admin-token");
  const created = await fetch(`http://127.0.0.1:${env.SLUICE_HTTP_PORT ?? ""}/v1/sessions`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken.trim()}`, "content-type": "application/json" },
    body: JSON.stringify({ userId: "u1", orgId: "o1" }),
  });
  expect(created.status).toBe(201);
  const { token } = (await created.json()) as { token: string };
  return token;
}

function compose(...args: string[]): Promise<string> {
  return docker("compose", ...args);
}

/** What it said; an error that says the same where it failed. */
async function docker(...args: string[]): Promise<string> {
  const { code, output } = await runCommand("docker", args, { env, cwd: projectRoot });
  if (code !== 0) throw new Error(`docker ${args.join(" ")} failed:\n${output}`);
  return output;
}

async function reasonForNoEngine(): Promise<string | undefined> {
  for (const [args, lacking] of [
    [["version"], "no container engine answers"],
    [["compose", "version"], "the container engine has no Compose"],
  ] as const) {
    const { code, output } = await runCommand("docker", args, { env: process.env });
    if (code !== 0) return `${lacking} (docker ${args.join(" ")}: ${output.trim().split("\n").at(-1) ?? ""})`;
  }
  return undefined;
}
