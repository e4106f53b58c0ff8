// The running children: started one after the other, stopped in the opposite order, and none may die unnoticed.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Failure } from "../failure.js";
import { type Exit, type ProcessPlan, startProcess, type SupervisedProcess } from "./supervised-process.js";

const LAST_WORDS_CHARS = 300;
const LAST_BYTES = 4096;

export class Stack {
  private readonly starts: Promise<SupervisedProcess>[] = [];
  private readonly loss = new AbortController();
  private stopping = false;

  /** Aborted when a child ends that nobody stopped; its reason is a `Failure` that names the child. */
  get lost(): AbortSignal {
    return this.loss.signal;
  }

  /** Rejects with a `Failure` when it cannot be started, or when everything is being stopped. */
  async start(plan: ProcessPlan): Promise<SupervisedProcess> {
    if (this.stopping) throw new Failure(`${plan.name} is not started any more.`);
    const start = startProcess(plan);
    this.starts.push(start);
    const child = await start;
    void child.exited.then((exit) => {
      if (!this.stopping) this.loss.abort(lossOf(child, exit));
    });
    return child;
  }

  /** Resolves when every child has ended, also one whose start was under way. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const start of this.starts.toReversed()) {
      const [outcome] = await Promise.allSettled([start]);
      if (outcome.status === "fulfilled") await outcome.value.stop();
    }
  }
}

function lossOf(child: SupervisedProcess, { code, signal }: Exit): Failure {
  const how = signal === null ? `ended with code ${code ?? "unknown"}` : `was ended by ${signal}`;
  const words = lastWords(child.logFile);
  return new Failure(
    `${child.name} ${how}${words === "" ? "" : `, saying "${words}"`}; its output is in ${child.logFile}.`,
  );
}

/** Of the log's end only: it may be as long as the disk is large. */
function lastWords(logFile: string): string {
  const file = openSync(logFile, "r");
  const end = Buffer.alloc(LAST_BYTES);
  const length = readSync(file, end, 0, LAST_BYTES, Math.max(0, fstatSync(file).size - LAST_BYTES));
  closeSync(file);
  const line = end.toString("utf8", 0, length).trimEnd().split("\n").at(-1) ?? "";
  return line.length <= LAST_WORDS_CHARS ? line : `${line.slice(0, LAST_WORDS_CHARS)}…`;
}
