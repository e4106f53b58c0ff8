// Backs up and restores the store: `store-admin backup <file>` and `store-admin restore <file> [--force]`.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";

import { given } from "./settings/environment.js";
import { unknownVariables } from "./settings/unknown-variables.js";
import { messageOf } from "./domain/message-of.js";
import { EXIT, exitOf } from "./start-failure.js";
import { backUpStore, restoreStore } from "./store/lmdb/backup.js";

const USAGE = `usage:
  store-admin backup <file> [--data <folder>]             copy the store into a new file; the control plane may run
  store-admin restore <file> [--data <folder>] [--force]  make the store what it was at that backup; the control plane
                                                          must not run. --force: replace the store that is there
The folder is --data, else SLUICE_DATA_DIR, else .sluice`;

const OPTIONS = { data: { type: "string" }, force: { type: "boolean", default: false } } as const;

/** 0 done, 1 failed, 2 not understood, 78 a variable or the data folder cannot be used. */
async function main(): Promise<number> {
  const asked = read(process.argv.slice(2));
  if (asked === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const unknown = unknownVariables(process.env);
  for (const sentence of unknown) process.stderr.write(`store-admin: ${sentence}\n`);
  if (unknown.length > 0) return EXIT.config;
  const { command, file, folder } = asked;
  try {
    if (command === "backup") await backUpStore(folder, file);
    else await restore(asked);
  } catch (error) {
    process.stderr.write(`store-admin: ${messageOf(error)}\n`);
    return exitOf(error);
  }
  process.stdout.write(command === "backup" ? `${folder} is in ${file}\n` : `${file} is in ${folder}\n`);
  return 0;
}

async function restore({ file, folder, force }: Asked): Promise<void> {
  const { checked } = await restoreStore(file, folder, { force, random: { bytes: (n) => randomBytes(n) } });
  if (checked) return;
  process.stderr.write(`store-admin: ${file} is of a version without check sums: it could not be checked for damage\n`);
}

interface Asked {
  readonly command: "backup" | "restore";
  readonly file: string;
  readonly folder: string;
  readonly force: boolean;
}

function read(args: string[]): Asked | undefined {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    const [command, file, ...more] = positionals;
    if (file === undefined || more.length > 0) return undefined;
    if (command !== "restore" && (command !== "backup" || values.force)) return undefined;
    const folder = values.data ?? given(process.env, "SLUICE_DATA_DIR") ?? ".sluice";
    return { command, file, folder, force: values.force };
  } catch {
    return undefined;
  }
}

// At once: where the library could not open a store, it throws once more a moment later.
process.exit(await main());
