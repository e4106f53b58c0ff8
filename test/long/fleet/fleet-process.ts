// npm run fleet as a user runs it, in a folder that goes with the test. It may leave no process.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished } from "vitest";

import { until } from "../../../control-plane/test/support/until.js";
import { projectRoot } from "../../../scripts/project-root.js";

const PROGRAM = "build/fleet/test/fleet/run.js";
const BUILD_MS = 120_000;

export interface Report {
  readonly fault: string | null;
  readonly isBack: boolean | null;
  readonly calls: { readonly lease: number; readonly all: number };
  readonly figures: {
    readonly admitted: number;
    readonly over: number;
    readonly use: number;
    readonly sessions: readonly { readonly admitted: number; readonly over: number }[];
  };
  readonly compared: Readonly<Record<string, number>> | null;
}

export class FleetProcess {
  said = "";
  private readonly folder = mkdtempSync(join(tmpdir(), "sluice-fleet-test-"));
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown[]>;

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, [join(projectRoot, PROGRAM), ...args, "--json", this.report], {
      env: { ...process.env, TMPDIR: this.folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.said += chunk.toString()));
    this.ended = once(this.child, "close");
    onTestFinished(async () => {
      this.child.kill("SIGTERM");
      await this.ended;
      await this.nothingIsLeft();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Resolves once it has said so. */
  async says(what: RegExp): Promise<void> {
    await until(() => {
      expect(this.said).toMatch(what);
    });
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.child.kill("SIGINT");
  }

  async exitCode(): Promise<unknown> {
    return (await this.ended)[0];
  }

  /** What its figures are, at its end. */
  async reported(): Promise<Report> {
    await this.ended;
    try {
      const report = JSON.parse(readFileSync(this.report, "utf8")) as Report;
      console.log(this.said.trimEnd().split("\n").slice(-8).join("\n"));
      return report;
    } catch (error) {
      throw new Error(this.said, { cause: error });
    }
  }

  nothingIsLeft(): Promise<void> {
    return until(() => {
      expect(this.processes()).toEqual([]);
    });
  }

  /** Every process that was started with a file in the folder, or works there. A zombie does neither. */
  processes(): string[] {
    const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
    return others.filter((pid) => marksOf(pid).includes(this.folder)).map((pid) => `${pid} ${marksOf(pid)}`);
  }

  private get report(): string {
    return join(this.folder, "report.json");
  }
}

/** For the tests that follow in this file. */
export function useFleetProgram(): void {
  beforeAll(() => {
    const compiler = join(projectRoot, "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", "test/fleet/tsconfig.run.json"], {
      ...{ cwd: projectRoot, encoding: "utf8" },
    });
    if (status !== 0) throw new Error(stdout);
  }, BUILD_MS);
}

/** A store's server writes over the first two. */
function marksOf(pid: string): string {
  const files = ["cmdline", "environ"].map((file) => () => readFileSync(`/proc/${pid}/${file}`, "utf8"));
  return [...files, () => readlinkSync(`/proc/${pid}/cwd`)].map(orNothing).join(" ").replaceAll("\0", " ");
}

/** It may have ended meanwhile. */
function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
