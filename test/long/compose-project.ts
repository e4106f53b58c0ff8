// docker compose with the repository's files, on the engine that answers, as a project of the tests' own. Starts no engine.
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";
import { runCommand } from "../../scripts/run-command.js";
import { freePorts } from "../../scripts/start/ports.js";
import { notRun } from "../../scripts/test/not-run.js";

export const BUILD_AND_START_MS = 600_000;
export const DOWN_MS = 120_000;

export interface Issued {
  readonly session: { readonly id: string };
  readonly token: string;
}

/** Of a file's tests, which are named as not run where no engine with Compose answers. To be called outside of tests. */
export async function useCompose(profile?: string): Promise<ComposeProject> {
  const noEngine = await reasonForNoEngine();
  const project = new ComposeProject(profile);
  beforeAll(async () => {
    if (noEngine === undefined) await project.begin();
  }, BUILD_AND_START_MS);
  beforeEach((context) => {
    if (noEngine !== undefined) notRun(context, noEngine);
  });
  afterAll(async () => {
    if (noEngine === undefined) await project.end();
  }, DOWN_MS);
  return project;
}

export class ComposeProject {
  private env: NodeJS.ProcessEnv = {};
  private adminToken = "";

  constructor(private readonly profile: string | undefined) {}

  /** Builds the image, which takes minutes; the ports are chosen after that, so that no other program takes them meanwhile. */
  async begin(): Promise<void> {
    this.env = process.env;
    await this.compose("build");
    const [proxy, http, status] = await freePorts(3);
    // A project of its own: a Sluice that is running on this machine keeps its containers and volumes.
    this.env = {
      ...process.env,
      COMPOSE_PROJECT_NAME: `sluice-test-${process.pid}`,
      SLUICE_PROXY_PORT: String(proxy),
      SLUICE_HTTP_PORT: String(http),
      SLUICE_STATUS_PORT: String(status),
    };
  }

  /** What it said; an error that says the same where it failed. */
  compose(...args: string[]): Promise<string> {
    return this.docker("compose", ...(this.profile === undefined ? [] : ["--profile", this.profile]), ...args);
  }

  /** Takes away all of it, whatever profile it was started by. */
  async end(): Promise<void> {
    await this.docker("compose", "--profile", "*", "down", "--volumes", "--remove-orphans");
  }

  /** In a service's container. */
  inside(service: string, ...command: string[]): Promise<string> {
    return this.compose("exec", "-T", service, ...command);
  }

  /** In the folder of docker-compose.yml, by a shell that ends at the first line that fails. */
  async ranAsWritten(lines: string): Promise<void> {
    const { code, output } = await runCommand("bash", ["-e", "-c", lines], { env: this.env, cwd: projectRoot });
    expect(code, output).toBe(0);
  }

  /** Containers and volumes, as the engine lists them. */
  async left(): Promise<string> {
    const ours = ["--filter", `label=com.docker.compose.project=${this.env.COMPOSE_PROJECT_NAME ?? ""}`];
    const containers = await this.docker("ps", "--all", "--quiet", ...ours);
    return containers + (await this.docker("volume", "ls", "--quiet", ...ours));
  }

  /** Where a service's port is on this machine. */
  async addressOf(service: string, port: number): Promise<string> {
    return `http://${(await this.compose("port", service, String(port))).trim()}/`;
  }

  /** What a request with this token is answered; without one where it is none. */
  async request(token?: string, proxy = `http://127.0.0.1:${this.env.SLUICE_PROXY_PORT ?? ""}/`): Promise<Response> {
    return fetch(proxy, { headers: token === undefined ? {} : { "X-Session-ID": token } });
  }

  /** @param tellsToken the service that has the operators' token */
  async newSession(tellsToken: string): Promise<Issued> {
    this.adminToken = (await this.inside(tellsToken, "cat", "/run/sluice/admin-token")).trim();
    const created = await this.api("POST", "sessions", { userId: "u1", orgId: "o1" });
    expect(created.status).toBe(201);
    return (await created.json()) as Issued;
  }

  /** As an operator, with the token that the last session was made with. */
  api(method: string, path: string, body?: object): Promise<Response> {
    const authorization = `Bearer ${this.adminToken}`;
    const url = `http://127.0.0.1:${this.env.SLUICE_HTTP_PORT ?? ""}/v1/${path}`;
    if (body === undefined) return fetch(url, { method, headers: { authorization } });
    const headers = { authorization, "content-type": "application/json" };
    return fetch(url, { method, headers, body: JSON.stringify(body) });
  }

  private async docker(...args: string[]): Promise<string> {
    const { code, output } = await runCommand("docker", args, { env: this.env, cwd: projectRoot });
    if (code !== 0) throw new Error(`docker ${args.join(" ")} failed:\n${output}`);
    return output;
  }
}

/** Why there is nothing to test on; undefined where an engine with Compose answers. */
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
