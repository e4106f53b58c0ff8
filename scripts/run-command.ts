// Runs a command to its end and keeps what it said. What goes on beside us is start/supervised-process.ts.
import { spawn } from "node:child_process";

export interface Run {
  /** Not 0 also when the command could not be started or was ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both in the order they came, and at last what ended it, or kept it from starting, where that was not itself. */
  readonly output: string;
  /** It was killed for taking too long. */
  readonly timedOut: boolean;
}

export interface RunOptions {
  /** The command's whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** What it says is passed on as it comes; else it is quiet, and its caller shows what is worth it. */
  readonly passOn?: boolean;
  /** After that it is killed; without it, it may take for ever. */
  readonly timeoutMs?: number;
}

/** The code of a command that could not be started, as of a shell. */
export const NOT_STARTED = 127;

/** Ends with this process at the latest. Never rejects: a command that cannot be started is a run that failed. */
export function runCommand(command: string, args: readonly string[], options: RunOptions): Promise<Run> {
  const { env, cwd, passOn = false, timeoutMs } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...env }, stdio: ["ignore", "pipe", "pipe"], ...(cwd && { cwd }) });
    const endWithUs = (): void => {
      child.kill();
    };
    process.once("exit", endWithUs);
    const said = { stdout: "", stderr: "", output: "", timedOut: false };
    const impatience =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            said.timedOut = true;
            child.kill("SIGKILL");
            // What it started may still hold them.
            child.stdout.destroy();
            child.stderr.destroy();
          }, timeoutMs);
    const keep = (stream: "stdout" | "stderr") => (chunk: Buffer) => {
      said[stream] += chunk.toString();
      said.output += chunk.toString();
      if (passOn) process[stream].write(chunk);
    };
    child.stdout.on("data", keep("stdout"));
    child.stderr.on("data", keep("stderr"));
    child.on("error", ({ message }) => {
      clearTimeout(impatience);
      process.off("exit", endWithUs);
      if (passOn) process.stderr.write(`${message}\n`);
      resolve({ ...said, code: NOT_STARTED, output: message });
    });
    child.on("close", (code, signal) => {
      clearTimeout(impatience);
      process.off("exit", endWithUs);
      const output = signal === null ? said.output : `${said.output}\nended by ${signal}`;
      resolve({ ...said, code: code ?? 1, output });
    });
  });
}
