// npm start as a user runs it: on free ports, over a data folder that goes with the test. It may leave no process.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { projectRoot } from "../../../scripts/project-root.js";

export interface End {
  code: number | null;
  stderr: string;
}

export interface Started {
  process: ChildProcess;
  stdout: string;
  stderr: string;
  ended: Promise<End>;
}

class NpmStart {
  private readonly started: Started[] = [];

  constructor(
    readonly dataDir: string,
    /** What is set for each start. */
    readonly env: Readonly<Record<string, string>>,
  ) {}

  /** The proxy's. */
  get url(): string {
    return `http://127.0.0.1:${this.env.SLUICE_PROXY_PORT ?? ""}/`;
  }

  get first(): Started {
    const [one] = this.started;
    if (one === undefined) throw new Error("nothing was started");
    return one;
  }

  start(more: Record<string, string | undefined> = {}): Started {
    const child = spawn(process.execPath, [join(projectRoot, "build/js/scripts/start/start.js")], {
      env: { ...process.env, ...this.env, ...more },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stderr: one.stderr }));
    const one: Started = { process: child, stdout: "", stderr: "", ended };
    child.stdout.on("data", (chunk: Buffer) => (one.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (one.stderr += chunk.toString()));
    this.started.push(one);
    return one;
  }

  /** Every process that was started with this test's data folder or its demo port. A zombie has neither. */
  processes(): { pid: number; command: string }[] {
    const marks = [this.dataDir, `SLUICE_UPSTREAM_PORT=${this.env.SLUICE_UPSTREAM_PORT ?? ""} `];
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

  nothingIsLeft(): void {
    expect(this.processes()).toEqual([]);
  }

  async end(): Promise<void> {
    for (const one of this.started) one.process.kill("SIGTERM");
    for (const one of this.started) await one.ended;
    await until(() => {
      this.nothingIsLeft();
    });
    rmSync(this.dataDir, { recursive: true });
  }
}

/** For each test of a file anew. */
export function useNpmStart(): () => NpmStart {
  let npm: NpmStart;
  beforeEach(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "sluice-start-"));
    const [proxy, admin, http, status, upstream] = (await freePorts(5)).map(String);
    npm = new NpmStart(dataDir, {
      SLUICE_PROXY_PORT: proxy ?? "",
      SLUICE_ENVOY_ADMIN_PORT: admin ?? "",
      SLUICE_HTTP_PORT: http ?? "",
      SLUICE_STATUS_PORT: status ?? "",
      SLUICE_UPSTREAM_PORT: upstream ?? "",
      SLUICE_DATA_DIR: dataDir,
    });
  });
  afterEach(() => npm.end());
  return () => npm;
}

/** What it said until it served. */
export async function ready(one: Started): Promise<string> {
  await until(() => {
    expect(one.stderr).toBe("");
    expect(one.stdout).toMatch(/^ready: /m);
    expect(one.stdout).toContain("Stop: Ctrl-C");
  });
  return one.stdout;
}

export async function stopped(one: Started, signal: NodeJS.Signals): Promise<End> {
  one.process.kill(signal);
  return one.ended;
}

/** The token of the session that it made for the user to try. */
export function tokenIn(said: string): string {
  const [, token] = /X-Session-ID: ([\w-]{48})"/.exec(said) ?? [];
  if (token === undefined) throw new Error(`no token in ${said}`);
  return token;
}

function ofProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
