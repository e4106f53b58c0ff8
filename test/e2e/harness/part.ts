// One process of an installation: it can be stopped, killed and started again on the same ports and the same data.
import { existsSync, readFileSync } from "node:fs";
import {
  type Exit,
  type ProcessPlan,
  startProcess,
  type SupervisedProcess,
} from "../../../scripts/start/supervised-process.js";

const TAIL_LINES = 40;
/** Of a process that stops in order: it is killed only where it would never end. */
const STOPS_WITHIN_MS = 60_000;

export class Part {
  private child: SupervisedProcess | undefined;

  /** @param ready resolves when the process serves; its signal is aborted when the process has ended */
  constructor(
    private readonly plan: ProcessPlan,
    private readonly ready: (ended: AbortSignal) => Promise<void>,
  ) {}

  get running(): boolean {
    return this.child?.running ?? false;
  }

  /** Of its present life, or the last one. */
  get pid(): number {
    if (this.child === undefined) throw new Error(`${this.plan.name} has not been started`);
    return this.child.pid;
  }

  /** All that it has written so far, over all its lives. */
  get log(): string {
    return existsSync(this.plan.logFile) ? readFileSync(this.plan.logFile, "utf8") : "";
  }

  /** The end of the log, under the process's name: it explains a failure. */
  get logTail(): string {
    return `--- ${this.plan.name}\n${this.log.trimEnd().split("\n").slice(-TAIL_LINES).join("\n")}`;
  }

  /** Resolves when it serves. `env` replaces variables for this life. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = await startProcess({ ...this.plan, env: { ...this.plan.env, ...env } });
    this.child = child;
    const ended = new AbortController();
    void child.exited.then(({ code, signal }) => {
      ended.abort(new Error(`${this.plan.name} ended (${signal ?? code ?? "unknown"})`));
    });
    try {
      await this.ready(ended.signal);
    } catch (error) {
      await child.stop();
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${this.logTail}`, { cause: error });
    }
  }

  /** SIGTERM. Resolves with how it ended: by SIGKILL if it had not within a minute. */
  async stop(): Promise<Exit | undefined> {
    return this.child?.stop(STOPS_WITHIN_MS);
  }

  /** It keeps its memory and its connections, and does nothing until it is resumed. */
  pause(): void {
    this.child?.kill("SIGSTOP");
  }

  resume(): void {
    this.child?.kill("SIGCONT");
  }

  /** As by a crash: nothing is flushed or logged. */
  async killHard(): Promise<void> {
    this.child?.kill("SIGKILL");
    await this.child?.exited;
  }
}
