// Backups of the store: a copy of one moment, also while the control plane runs; and the store made again from one.
import { existsSync } from "node:fs";
import { chmod, copyFile, link, mkdir, open as openFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { open } from "lmdb";

import type { Random } from "../app/ports.js";
import { openLayout, STORE_FILE } from "./lmdb-layout.js";
import { newLogId } from "./lmdb-log.js";
import { prepareSchema } from "./lmdb-schema.js";

/** Stands in the first page, after a header whose size differs by platform. */
const LMDB_MARK = Buffer.from([0xde, 0xc0, 0xef, 0xbe]);
const LMDB_MARK_SEARCHED_BYTES = 64;

/** Why nothing was done, in one sentence for the operator. */
export class BackupRefused extends Error {
  override readonly name = "BackupRefused";
}

/** Copies the store in a folder into a new file, durably. The file appears whole or not at all. */
export async function backUpStore(folder: string, file: string): Promise<void> {
  const store = join(folder, STORE_FILE);
  if (!existsSync(store)) throw new BackupRefused(`there is no store in ${folder}`);
  if (existsSync(file)) throw new BackupRefused(`${file} exists: name a new file`);
  const unfinished = `${file}.part`;
  await mkdir(dirname(file), { recursive: true });
  await rm(unfinished, { force: true });
  const env = open({ path: store, noSubdir: true, readOnly: true });
  try {
    await env.backup(unfinished, true);
    // It holds user ids and addresses; the store itself is shielded by its folder.
    await chmod(unfinished, 0o600);
  } finally {
    await env.close();
  }
  await flushed(unfinished);
  // Unlike a rename, a link never takes the place of a file that has appeared meanwhile.
  await link(unfinished, file);
  await rm(unfinished);
  await flushed(dirname(file));
}

export interface RestoreOptions {
  /** Whether a store that stands in the folder may be replaced. */
  readonly force: boolean;
  readonly random: Random;
}

/**
 * Makes the store in a folder what it was at a backup, with a log of a new name: so every edge hears that it is to
 * begin anew, and no answer of the time after the backup counts any more (docs/edge-protocol.md). Refuses over a store
 * that a control plane has open, whatever `force` says. Interrupted, the store is the one before or the restored one.
 */
export async function restoreStore(file: string, folder: string, { force, random }: RestoreOptions): Promise<void> {
  const store = join(folder, STORE_FILE);
  if (!existsSync(file)) throw new BackupRefused(`there is no backup ${file}`);
  if (existsSync(store)) {
    if (await isOpen(store)) throw new BackupRefused(`a control plane has the store in ${folder} open: stop it first`);
    if (!force) throw new BackupRefused(`there is a store in ${folder}: it is replaced only with --force`);
  }
  await refuseOtherFiles(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const restoring = `${STORE_FILE}.restoring`;
  const lockOf = (path: string): Promise<void> => rm(`${path}-lock`, { force: true });
  await copyFile(file, join(folder, restoring));
  await beginNewLog(folder, restoring, random);
  await lockOf(join(folder, restoring));
  await flushed(join(folder, restoring));
  await lockOf(store);
  await rename(join(folder, restoring), store);
  await flushed(folder);
}

async function beginNewLog(folder: string, file: string, random: Random): Promise<void> {
  const db = openLayout(folder, file);
  try {
    if (db.meta.get("schema") === undefined) throw new BackupRefused("the file is no backup of a store");
    await prepareSchema(db, random);
    await db.meta.put("log", newLogId(random));
  } finally {
    await db.env.close();
  }
}

/** The library ends the process on a file that is not LMDB's; so its mark is looked for first. */
async function refuseOtherFiles(file: string): Promise<void> {
  const handle = await openFile(file, "r");
  try {
    const start = Buffer.alloc(LMDB_MARK_SEARCHED_BYTES);
    await handle.read(start, 0, LMDB_MARK_SEARCHED_BYTES, 0);
    if (!start.includes(LMDB_MARK)) throw new BackupRefused(`${file} is no backup of a store`);
  } finally {
    await handle.close();
  }
}

/** Whether another process has the store open: each keeps a place in its table of readers, which its death frees. */
async function isOpen(store: string): Promise<boolean> {
  const env = open({ path: store, noSubdir: true, readOnly: true });
  // Read before anything else is: so this process is not in it.
  const readers = env.readerList();
  await env.close();
  return /^\s*\d+\s/m.test(readers);
}

async function flushed(path: string): Promise<void> {
  const handle = await openFile(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
