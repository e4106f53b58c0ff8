// What is done to stores beside the control plane: `store-admin backup`, `restore`, `copy` and `init`.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";

import { messageOf } from "./domain/message-of.js";
import { FileReader } from "./files/file-reader.js";
import { given } from "./settings/environment.js";
import { DEFAULT_FOLDER, FOLDER_WANTED } from "./settings/store-address.js";
import { hasStoreScheme } from "./settings/store-url.js";
import { unknownVariables } from "./settings/unknown-variables.js";
import { EXIT, exitOf, StartFailure } from "./start-failure.js";
import { runCopy, runInit } from "./store-transfer.js";
import type { Transfer, TransferEnd } from "./store-transfer.js";
import { backUpStore, restoreStore } from "./store/lmdb/backup.js";

const USAGE = `usage:
  store-admin backup <file> [--data <folder>]             copy the store into a new file; the control plane may run
  store-admin restore <file> [--data <folder>] [--force]  make the store what it was at that backup; the control plane
                                                          must not run. --force: replace the store that is there
  store-admin copy --from <store> --to <store> [--stopped]  copy a store into an empty one, or go on with that; no
                                                          control plane may run. --stopped: none does, whatever the
                                                          source says
  store-admin init [--at <store>]                         make an empty Redis or Valkey a store; else the one of
                                                          SLUICE_STORE
The folder is --data, else SLUICE_DATA_DIR, else .sluice. A store is lmdb:<folder> or a URL such as redis://cache:6379;
--from-file, --to-file and --at-file name a file that holds it, as one with a password must`;

const text = { type: "string" } as const;
const OF_FOLDER = { data: text } as const;
const OPTIONS = {
  backup: OF_FOLDER,
  restore: { ...OF_FOLDER, force: { type: "boolean" } },
  copy: { from: text, "from-file": text, to: text, "to-file": text, stopped: { type: "boolean" } },
  init: { at: text, "at-file": text },
} as const;
type Command = keyof typeof OPTIONS;

interface Asked {
  readonly command: Command;
  /** Of a backup or a restore. */
  readonly file: string;
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

const files = new FileReader({ pipes: true });
const say = (sentence: string): void => void process.stderr.write(`store-admin: ${sentence}\n`);

/** 0 done, 1 failed, 2 not understood, 78 a variable or the data folder cannot be used. */
async function main(): Promise<number> {
  const asked = read(process.argv.slice(2));
  if (asked === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const unknown = unknownVariables(process.env);
  for (const sentence of unknown) say(sentence);
  if (unknown.length > 0) return EXIT.config;
  try {
    const { exit, sentences } = await RUN[asked.command](asked);
    for (const sentence of sentences) {
      if (exit === 0) process.stdout.write(`${sentence}\n`);
      else say(sentence);
    }
    return exit;
  } catch (error) {
    say(messageOf(error));
    return exitOf(error);
  }
}

type Run = (asked: Asked) => Promise<TransferEnd>;

const done = (sentence: string): TransferEnd => ({ exit: 0, sentences: [sentence] });

const RUN: Readonly<Record<Command, Run>> = {
  backup: async ({ file, values }) => {
    const folder = folderOf(values);
    await backUpStore(folder, file);
    return done(`${folder} is in ${file}`);
  },
  restore: async ({ file, values }) => {
    const folder = folderOf(values);
    const random = { bytes: (n: number) => randomBytes(n) };
    const { checked } = await restoreStore(file, folder, { force: values.force === true, random });
    if (!checked) say(`${file} is of a version without check sums: it could not be checked for damage`);
    return done(`${file} is in ${folder}`);
  },
  copy: ({ values }) => runCopy(transferOf(values), surroundings),
  init: ({ values }) => runInit(transferOf(values), surroundings),
};

const surroundings = {
  env: process.env,
  files,
  warn: say,
  // The command line tells these lines by how they begin (cli/main.ts).
  progress: (line: string): void => void process.stderr.write(`progress: ${line}\n`),
};

/** @throws StartFailure: it does not show a URL, which may hold a password */
function folderOf({ data }: Asked["values"]): string {
  const folder = typeof data === "string" ? data : (given(process.env, "SLUICE_DATA_DIR") ?? DEFAULT_FOLDER);
  if (!hasStoreScheme(folder)) return folder;
  throw new StartFailure(`--data or SLUICE_DATA_DIR: ${FOLDER_WANTED}`, EXIT.config);
}

const transferOf = (values: Asked["values"]): Transfer => ({ stopped: false, ...(values as Partial<Transfer>) });

function read([name = "", ...args]: string[]): Asked | undefined {
  if (!Object.hasOwn(OPTIONS, name)) return undefined;
  const command = name as Command;
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS[command], allowPositionals: true });
    const [file = "", ...more] = positionals;
    const takesFile = command === "backup" || command === "restore";
    if (more.length > 0 || takesFile !== (file !== "")) return undefined;
    return { command, file, values: { ...values } as Asked["values"] };
  } catch {
    return undefined;
  }
}

// At once: where the library could not open a store, it throws once more a moment later.
process.exit(await main());
