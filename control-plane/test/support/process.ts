// The control plane as a real process, from its sources, with a port of its own and a store in a temporary folder.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

import { freePorts } from "../../../scripts/start/ports.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { compiledMain } from "./compiled-sources.js";

const POLICY = "version: 1\nplans:\n  - { id: 0, name: starter, maxTokens: 100, tokenRefillRate: 10 }\n";

const READY_TIMEOUT_MS = 50_000;

export const SECRET = "4f".repeat(32);
export const ADMIN_TOKEN = "an-admin-token-for-tests";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A folder that goes with the test, and the settings of a control plane that keeps its store there. */
export function settingsIn(folder: string = temporaryFolder()): Record<string, string> {
  const policy = join(folder, "policy.yaml");
  writeFileSync(policy, POLICY);
  return {
    SLUICE_SECRET: SECRET,
    SLUICE_ADMIN_TOKEN: ADMIN_TOKEN,
    SLUICE_HTTP_PORT: "0",
    SLUICE_STATUS_PORT: "0",
    SLUICE_DATA_DIR: join(folder, "data"),
    SLUICE_POLICY: policy,
  };
}

export interface KnownPorts {
  readonly settings: Record<string, string>;
  /** Of the API and of the status listener. */
  readonly url: string;
  readonly status: string;
}

/** Ports that are known before the control plane says them: where its log is read by nobody, or it does not get so far. */
export async function knownPorts(settings = settingsIn()): Promise<KnownPorts> {
  const [http = 0, status = 0] = await freePorts(2);
  const ports = { SLUICE_HTTP_PORT: String(http), SLUICE_STATUS_PORT: String(status) };
  const [url, statusUrl] = [`http://127.0.0.1:${http}`, `http://127.0.0.1:${status}`];
  return { settings: { ...settings, ...ports }, url, status: statusUrl };
}

/** Resolves once the status listener says that the control plane takes requests. */
export const ready = (status: string): Promise<void> =>
  waitForStatus(`${status}/readyz`, 200, { timeoutMs: READY_TIMEOUT_MS });

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-process-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export class ControlPlaneProcess {
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ended>;
  /** That it is gone, though what it said may not have been read yet. */
  readonly exited: Promise<Ended>;
  private readonly child: ChildProcess;

  /**
   * Only these settings: nothing of this process's environment but where programs are.
   * @param within a command that runs it, with its options
   * @param out where its log goes in place of `stdout`: an open file
   */
  constructor(settings: Record<string, string>, within: readonly string[] = [], out: number | "pipe" = "pipe") {
    const env = { PATH: process.env.PATH, ...settings };
    const [program, ...args] = [...within, process.execPath, compiledMain()];
    this.child = spawn(program, args, { env, stdio: ["ignore", out, "pipe"] });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.child.on("exit", (code, signal) => {
        resolve({ code, signal });
      });
    });
    this.ended = new Promise((resolve) => {
      this.child.on("close", (code, signal) => {
        resolve({ code, signal });
      });
    });
    onTestFinished(async () => {
      this.child.kill("SIGKILL");
      await this.ended;
    });
  }

  /** Resolves to the API's address once the process says that it listens; rejects if it ends instead. */
  async listening(): Promise<string> {
    return `http://127.0.0.1:${await this.port()}`;
  }

  /** Resolves to the status listener's address, once the process says that it listens. */
  async status(): Promise<string> {
    const { status } = (await this.logLine("listening")) as { status: [{ port: number }] };
    return `http://127.0.0.1:${status[0].port}`;
  }

  async port(): Promise<number> {
    const { http } = (await this.logLine("listening")) as { http: [{ port: number }] };
    return http[0].port;
  }

  /** The first line of this event, waited for. */
  async logLine(event: string): Promise<object> {
    for (;;) {
      const line = this.stdout.split("\n").find((one) => one.includes(`"event":"${event}"`) && one.endsWith("}"));
      if (line !== undefined) return JSON.parse(line) as object;
      const more = this.child.stdout === null ? Promise.resolve() : once(this.child.stdout, "data");
      const ended = await Promise.race([more.then(() => false), this.ended.then(() => true)]);
      if (ended) throw new Error(`the control plane ended:\n${this.stdout}${this.stderr}`);
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Nobody reads its log any more. */
  closeLog(): void {
    this.child.stdout?.destroy();
  }

  /** Its log is read no further until `false`. */
  pauseLog(paused: boolean): void {
    if (paused) this.child.stdout?.pause();
    else this.child.stdout?.resume();
  }
}

/** Settings, and a store that has a policy. */
export async function withStoredPolicy(): Promise<Record<string, string>> {
  const settings = settingsIn();
  const plane = new ControlPlaneProcess(settings);
  await plane.port();
  plane.kill("SIGTERM");
  await plane.ended;
  return settings;
}
