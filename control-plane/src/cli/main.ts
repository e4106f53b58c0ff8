// The `sluice` command as a process: its streams, files and signals, and its exit code.
import { readFileSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";

import { EXIT } from "./failure.js";
import type { Io } from "./terminal/io.js";
import { runProgram } from "./program.js";
import { ownVersion } from "./version.js";
import { visible } from "./terminal/visible.js";

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const STANDARD_INPUT = 0;

const { stdout, stderr } = process;

const io: Io = {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  isTerminal: stdout.isTTY,
  columns: () => stdout.columns || DEFAULT_COLUMNS,
  rows: () => stdout.rows || DEFAULT_ROWS,
  readFile: (path) => readFileSync(path, "utf8"),
  readInput: () => readFileSync(STANDARD_INPUT, "utf8"),
  version: ownVersion,
  monotonicMs: () => performance.now(),
  sleep: (ms, until) => after(ms, undefined, until === undefined ? {} : { signal: until }).catch(() => undefined),
  interruption: () => {
    const interrupted = new AbortController();
    // A second one finds no listener and ends the process.
    process.once("SIGINT", () => {
      interrupted.abort();
    });
    return interrupted.signal;
  },
};

// A reader that has had enough, such as `head`, is no failure.
stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.done);
});

try {
  process.exitCode = await runProgram(process.argv.slice(2), process.env, io);
} catch (error) {
  stderr.write(`sluice: a violation of this program: ${visible(String(error))}\n`);
  process.exitCode = EXIT.internal;
}
