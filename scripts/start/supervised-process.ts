// A child process: started with exactly the environment given, its output in a file, its end always awaited.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { Failure } from "../failure.js";
import { forgetOrphan, watchOrphan } from "./orphan-guard.js";

export interface ProcessPlan {
  /** As a reader of messages knows it: "Envoy". */
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment of the child: nothing is inherited, so no secret travels by accident. */
  env: Readonly<Record<string, string | undefined>>;
  /** Standard output and error are appended here; the file is readable by its owner only. */
  logFile: string;
  cwd?: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface SupervisedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  readonly running: boolean;
  /** Sends a signal to the child and what it started; does nothing once it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL after `graceMs`. Resolves when the child has ended; may be called again. */
  stop(graceMs?: number): Promise<Exit>;
}

const STOP_GRACE_MS = 5_000;

/** Starts a child in its own process group. Rejects with a `Failure` when the command cannot be run. */
export async function startProcess(plan: ProcessPlan): Promise<SupervisedProcess> {
  mkdirSync(dirname(plan.logFile), { recursive: true });
  const log = openSync(plan.logFile, "a", 0o600);
  const child = spawn(plan.command, plan.args, {
    ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
    env: { ...plan.env },
    // Its own group: Ctrl-C reaches only us, and we stop the children in order.
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  if (child.pid !== undefined) watchOrphan(child.pid);
  try {
    await once(child, "spawn");
  } catch (error) {
    throw new Failure(`${plan.name} cannot be started: ${error instanceof Error ? error.message : String(error)}`);
  }
  return new Child(plan, child, child.pid ?? 0);
}

class Child implements SupervisedProcess {
  readonly name: string;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  private ended = false;

  constructor(
    plan: ProcessPlan,
    child: ChildProcess,
    readonly pid: number,
  ) {
    this.name = plan.name;
    this.logFile = plan.logFile;
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.ended = true;
        forgetOrphan(pid);
        resolve({ code, signal });
      });
    });
  }

  get running(): boolean {
    return !this.ended;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.ended) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // It ended a moment ago and its exit event is on the way.
    }
  }

  async stop(graceMs: number = STOP_GRACE_MS): Promise<Exit> {
    this.kill("SIGTERM");
    const impatience = setTimeout(() => {
      this.kill("SIGKILL");
    }, graceMs);
    const exit = await this.exited;
    clearTimeout(impatience);
    return exit;
  }
}
