// Runs a command to its end and keeps its output, to be shown only if it failed.
import { spawn } from "node:child_process";

export interface QuietRun {
  /** Not 0 also when the command could not be started or was ended by a signal. */
  code: number;
  /** Standard output and error in the order they came. */
  output: string;
}

const NOT_STARTED = 127;

/** Ends with this process at the latest. Never rejects: a command that cannot be started is a run that failed, with the reason as its output. */
export function runQuietly(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd?: string,
): Promise<QuietRun> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
    });
    const endWithUs = (): void => {
      child.kill();
    };
    process.once("exit", endWithUs);
    let output = "";
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => {
      resolve({ code: NOT_STARTED, output: error.message });
    });
    child.on("close", (code, signal) => {
      process.off("exit", endWithUs);
      resolve({ code: code ?? 1, output: signal === null ? output : `${output}\nended by ${signal}` });
    });
  });
}
