// docker compose up with the repository's files, on the engine that answers. The test starts no engine.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { freePorts } from "../../scripts/start/ports.js";
import { projectRoot } from "../../scripts/project-root.js";
import { runCommand } from "../../scripts/run-command.js";
import { notRun } from "../../scripts/test/not-run.js";
import { sectionOf } from "../unit/docs.js";

const BUILD_AND_START_MS = 600_000;
const DOWN_MS = 120_000;
/** Until the control plane is up, and Envoy has asked it about each session again. */
const SETTLED_MS = 60_000;
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
    const answer = await fetch(proxy, { headers: { "X-Session-ID": (await newSession()).token } });
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
    expect(modes).toBe("600\n600\n600\n");
    const logs = await compose("logs", "--no-color");
    expect(logs.includes(secret), "the secret in a log").toBe(false);

    await compose("down", "--volumes");
    expect(await docker("ps", "--all", "--quiet", "--filter", projectLabel())).toBe("");
    expect(await docker("volume", "ls", "--quiet", "--filter", projectLabel())).toBe("");
  },
  BUILD_AND_START_MS,
);

it(
  "a backup and a restore in containers go as the document writes them",
  async (context) => {
    if (noEngine !== undefined) notRun(context, noEngine);
    const backups = join(projectRoot, "backups");
    // Fails where somebody keeps their own there.
    mkdirSync(backups);
    onTestFinished(() => {
      rmSync(backups, { recursive: true });
    });
    const [backUp = "", restore = "", ...more] = documented();
    expect(more).toEqual([]);

    await compose("up", "--detach", "--wait");
    const { token: before } = await newSession();
    await ranAsWritten(backUp);
    expect(readdirSync(backups)).toEqual(["sluice-1.mdb"]);
    expect(await filesOfStore()).not.toContain("sluice-1.mdb");
    const { token: after } = await newSession();
    expect([await statusWith(before), await statusWith(after)]).toEqual([200, 200]);

    await ranAsWritten(restore);
    // Only the restored store does not know it.
    await vi.waitFor(async () => {
      expect([await statusWith(before), await statusWith(after)]).toEqual([200, 401]);
    }, SETTLED_MS);
    expect(await filesOfStore()).not.toContain("restore.mdb");
  },
  BUILD_AND_START_MS,
);

/** The lines for containers, in the groups that a blank line parts. */
function documented(): string[] {
  const blocks = [...sectionOf("docs/operations.md", "Backup and restore").matchAll(/^```\n(.*?)^```$/gms)];
  const lines = blocks.map(([, block = ""]) => block).filter((block) => block.includes("docker compose"));
  return lines.flatMap((block) => block.split("\n\n"));
}

/** In the folder of docker-compose.yml, by a shell that ends at the first line that fails. */
async function ranAsWritten(lines: string): Promise<void> {
  const { code, output } = await runCommand("bash", ["-e", "-c", lines], { env, cwd: projectRoot });
  expect(code, output).toBe(0);
}

const filesOfStore = (): Promise<string> => compose("exec", "-T", "control-plane", "ls", "/var/lib/sluice");

async function statusWith(token: string): Promise<number> {
  const proxy = `http://127.0.0.1:${env.SLUICE_PROXY_PORT ?? ""}/`;
  return (await fetch(proxy, { headers: { "X-Session-ID": token } })).status;
}

function projectLabel(): string {
  return `label=com.docker.compose.project=${env.COMPOSE_PROJECT_NAME ?? ""}`;
}

async function newSession(): Promise<{ readonly token: string }> {
  const adminToken = await compose("exec", "-T", "control-plane", "cat", "/run/sluice/admin-token");
  const created = await fetch(`http://127.0.0.1:${env.SLUICE_HTTP_PORT ?? ""}/v1/sessions`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminToken.trim()}`, "content-type": "application/json" },
    body: JSON.stringify({ userId: "u1", orgId: "o1" }),
  });
  expect(created.status).toBe(201);
  return (await created.json()) as Awaited<ReturnType<typeof newSession>>;
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
