// The `sluice` command as a process: its streams, files and signals, and its exit code.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { constants } from "node:fs";
import { constants as system } from "node:os";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { FileReader } from "../files/file-reader.js";
import { writePrivateFile } from "../files/private-file.js";
import { UnfitFile } from "../files/regular-file.js";
import { readEnvoyTemplate } from "../render/envoy-template.js";
import { EXIT } from "./failure.js";
import type { Io } from "./terminal/io.js";
import { runProgram } from "./program.js";
import { ownVersion } from "./version.js";
import { visible } from "./terminal/visible.js";

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
/** Of `<(command)`: a password may have to be typed there first. */
const DEADLINE_MS = 60_000;
/** For a reading at the end of the program. */
const END_MS = 100;
/** How a line of the store's program begins that says how far it is. */
const PROGRESS = "progress: ";

const { stdin, stdout, stderr } = process;
const files = new FileReader({ pipes: true, deadlineMs: DEADLINE_MS });

/** For as long as a person types, but no more than that much. */
async function readInput(maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let total = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > maxBytes) throw new UnfitFile(`expected at most ${maxBytes} bytes, got more`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

/** Ended by a signal counts as failed. */
async function storeAdmin(args: readonly string[], progress: (line: string) => void): ReturnType<Io["storeAdmin"]> {
  const program = fileURLToPath(new URL("../store-admin.js", import.meta.url));
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close") as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  const [out, err] = await Promise.all([allOf(child.stdout), remarksOf(child.stderr, progress)]);
  const [code, signal] = await ended;
  const silent = err === "" && code !== 0 ? `the program that does it ${howEnded(code, signal)}` : err;
  return { code: code ?? EXIT.denied, stdout: out, stderr: silent };
}

async function allOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += String(chunk);
  return text;
}

/** Answers the lines that are no progress: the program says which are (store-admin.ts). */
async function remarksOf(stream: NodeJS.ReadableStream, progress: (line: string) => void): Promise<string> {
  let rest = "";
  for await (const line of createInterface({ input: stream })) {
    if (line.startsWith(PROGRESS)) progress(line.slice(PROGRESS.length));
    else rest += `${line}\n`;
  }
  return rest;
}

/** Of a program that has said nothing. */
const howEnded = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `ended with ${String(code)}` : `was ended by ${signal}`;

const io: Io = {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  isTerminal: stdout.isTTY,
  columns: () => stdout.columns || DEFAULT_COLUMNS,
  rows: () => stdout.rows || DEFAULT_ROWS,
  readFile: (path, maxBytes) => files.read(path, maxBytes),
  isReadableByAll: (path) => files.isWorldReadable(path),
  isWritableByAll: (path) =>
    stat(path).then(
      ({ mode }) => (mode & constants.S_IWOTH) !== 0,
      () => false,
    ),
  readInput,
  storeAdmin,
  readTemplate: () => readEnvoyTemplate(files),
  writePrivate: writePrivateFile,
  randomBytes: (count) => randomBytes(count),
  version: ownVersion,
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
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

/** Node would wait for ever for a reading that hangs: then only a signal ends it, and process 1 of a container only an abort. */
async function endReadings(): Promise<void> {
  if (await files.end(END_MS)) return;
  process.kill(process.pid, "SIGKILL");
  process.abort();
}

// To process 1 of a container a signal without a listener is lost. A command that ends in order has one of its own.
for (const signal of process.pid === 1 ? (["SIGINT", "SIGTERM", "SIGHUP"] as const) : []) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) void endReadings().then(() => process.exit(128 + system.signals[signal]));
  });
}

// A reader that has had enough, such as `head`, is no failure. A full disk is one: what was asked for stands nowhere.
stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.done);
  stderr.write(`sluice: the output cannot be written: ${String(error.code)}\n`);
  process.exit(EXIT.denied);
});
// Nobody is left who could be told.
stderr.on("error", () => undefined);

try {
  process.exitCode = await runProgram(process.argv.slice(2), process.env, io);
} catch (error) {
  stderr.write(`sluice: a violation of this program: ${visible(String(error))}\n`);
  process.exitCode = EXIT.internal;
}
await endReadings();
