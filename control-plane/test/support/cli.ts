// The `sluice` command, run in this process against a control plane of a test.
import type { Environment } from "../../src/settings/environment.js";
import type { Io } from "../../src/cli/terminal/io.js";
import { FileReader } from "../../src/files/file-reader.js";
import { readEnvoyTemplate } from "../../src/render/envoy-template.js";
import { runProgram } from "../../src/cli/program.js";
import { ADMIN_TOKEN } from "./control-plane.js";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What it slept, ms. */
  readonly slept: readonly number[];
  /** Files that it wrote for their owner alone. */
  readonly written: Readonly<Record<string, string>>;
}

export interface World {
  readonly url?: string;
  readonly env?: Environment;
  readonly files?: Readonly<Record<string, string>>;
  /** What this user may not look at. */
  readonly forbidden?: readonly string[];
  /** Of the files, those that every user may write. */
  readonly openFiles?: readonly string[];
  /** On the standard input. */
  readonly input?: string;
  /** What the store's program answers; it fails where a test gives none. */
  readonly storeAdmin?: (
    args: readonly string[],
    progress: (line: string) => void,
  ) => { code: number; stdout: string; stderr: string };
  readonly terminal?: { readonly columns: number; readonly rows: number };
  /** Called where the program sleeps; time passes by `ms`. */
  readonly onSleep?: (nth: number) => void | Promise<void>;
  /** This machine's clock; not given: that of a test's control plane. */
  readonly wallMs?: number;
  /** Time as the program reads it, ms; not given: it passes where the program sleeps, and nowhere else. */
  readonly monotonicMs?: () => number;
  readonly interruption?: AbortSignal;
}

const noStore = () => ({ code: 1, stdout: "", stderr: "store-admin: there is none in this test\n" });
/** As FixedClock begins. */
const TEST_WALL_MS = Date.UTC(2026, 0, 1);

/** Nothing of the machine: its environment is what the test gives it, and it sleeps without time passing. */
export async function sluice(line: string | readonly string[], world: World = {}): Promise<Ran> {
  const {
    url,
    env,
    files = {},
    forbidden = [],
    openFiles = [],
    input = "",
    storeAdmin = noStore,
    terminal,
    onSleep,
    monotonicMs,
    interruption,
  } = world;
  const slept: number[] = [];
  const written: Record<string, string> = {};
  let out = "";
  let err = "";
  let nowMs = 0;
  const io: Io = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    isTerminal: terminal !== undefined,
    columns: () => terminal?.columns ?? 80,
    rows: () => terminal?.rows ?? 24,
    readFile: (path) => {
      if (forbidden.includes(path)) return Promise.reject(Object.assign(new Error("no"), { code: "EACCES" }));
      const text = files[path];
      if (text === undefined) return Promise.reject(Object.assign(new Error("no such file"), { code: "ENOENT" }));
      return Promise.resolve(Buffer.from(text));
    },
    isReadableByAll: () => Promise.resolve(false),
    isWritableByAll: (path) => Promise.resolve(openFiles.includes(path)),
    readTemplate: () => readEnvoyTemplate(new FileReader()),
    readInput: () => Promise.resolve(Buffer.from(input)),
    writePrivate: (path, text, mayReplace) => {
      if (files[path] !== undefined && !mayReplace)
        return Promise.reject(Object.assign(new Error("x"), { code: "EEXIST" }));
      written[path] = text;
      return Promise.resolve();
    },
    randomBytes: (count) => Buffer.alloc(count, 0xfb),
    storeAdmin: (args, progress) => Promise.resolve(storeAdmin(args, progress)),
    version: () => "1.2.3",
    wallMs: () => world.wallMs ?? TEST_WALL_MS,
    monotonicMs: monotonicMs ?? (() => nowMs),
    sleep: async (ms) => {
      slept.push(ms);
      nowMs += ms;
      await onSleep?.(slept.length);
    },
    interruption: () => interruption ?? new AbortController().signal,
  };
  const argv = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  const environment = { SLUICE_ADMIN_TOKEN: ADMIN_TOKEN, ...(url === undefined ? {} : { SLUICE_URL: url }), ...env };
  const code = await runProgram(argv, environment, io);
  return { code, out, err, slept, written };
}

/** Each line of the output, which must be JSON. */
export const jsonLines = ({ out }: Pick<Ran, "out">): unknown[] =>
  out
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
