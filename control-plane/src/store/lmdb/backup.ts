// Backups of the store: a copy of one moment, also while the control plane runs; and the store made again from one.
import { lstatSync } from "node:fs";
import { link, mkdtemp, open as openFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { open } from "lmdb";
import type { RootDatabase } from "lmdb";

import type { Random } from "../../app/ports/ports.js";
import { messageOf } from "../../domain/message-of.js";
import { makeFolder } from "../../files/own-folder.js";
import { codeOf } from "../../files/regular-file.js";
import { BackupRejected, openBackup, sealBackup, unsealBackup } from "./backup-file.js";
import type { OpenBackup } from "./backup-file.js";
import { beginLife } from "./fleet-time.js";
import { FolderLock } from "./folder-lock.js";
import { openLayout, STORE_FILE } from "./layout.js";
import { newLogId } from "../log-id.js";
import { prepareSchema } from "./schema.js";
import { isStoreAt, requireStoreOfLmdb, requireTableOfReaders } from "./store-file.js";
import { storeStateOf } from "./store-pages.js";

/** As `mkdir` makes one: the backup itself is for its owner's eyes. */
const FOLDER_MODE = 0o777;

/** Copies the store in a folder into a new file, durably. The file appears whole or not at all. */
export async function backUpStore(folder: string, file: string): Promise<void> {
  const store = join(folder, STORE_FILE);
  if (!isStoreAt(store)) throw new BackupRejected(`there is no store in ${folder}`);
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined) throw new BackupRejected(existing(file));
  requireStoreOfLmdb(store);
  const env = openToRead(store);
  try {
    makeFolderOf(file);
    await copyInto(file, env);
  } finally {
    await env.close();
  }
  await flushed(dirname(file));
}

function makeFolderOf(file: string): void {
  try {
    makeFolder(dirname(file), FOLDER_MODE);
  } catch (error) {
    throw new BackupRejected(`no backup can be made there: ${messageOf(error)}`);
  }
}

async function copyInto(file: string, env: RootDatabase): Promise<void> {
  // The library's copy could be read by others; this folder can not.
  const work = await mkdtemp(`${file}.part-`);
  const [copy, sealed] = [join(work, "copy"), join(work, "sealed")];
  try {
    await env.backup(copy, true);
    await sealBackup(copy, sealed);
    // Unlike a rename, a link never replaces a file that has appeared meanwhile.
    await link(sealed, file).catch((error: unknown) => {
      throw codeOf(error) === "EEXIST" ? new BackupRejected(existing(file)) : error;
    });
  } finally {
    await rm(work, { recursive: true });
  }
}

const existing = (file: string): string => `${file} exists: name a new file`;

/** LMDB knows its readers by their process numbers: in two containers both may be 1. */
function openToRead(store: string): RootDatabase {
  try {
    return open({ path: store, noSubdir: true, readOnly: true });
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("No transaction to renew")) throw error;
    const why = `${store} cannot be read by a process ${process.pid}: another container's has it open under the same number`;
    throw new BackupRejected(`${why}; run this in that container, or with an init as process 1 (docker run --init)`);
  }
}

export interface RestoreOptions {
  /** Whether a store that is in the folder may be replaced. */
  readonly force: boolean;
  readonly random: Random;
}

/**
 * Makes the store in a folder what it was at a backup, with a log of a new name: so every edge learns that it is to
 * begin anew, and no answer of the time after the backup counts any more (docs/edge-protocol.md). Fails over a store
 * that a control plane has open, whatever `force` says, and a backup that is not whole. No control plane starts there
 * before it is done. Interrupted, the store is the one before or the restored one. Answers whether the backup could be
 * checked.
 */
export async function restoreStore(
  file: string,
  folder: string,
  options: RestoreOptions,
): Promise<{ readonly checked: boolean }> {
  // First: what cannot be opened keeps nobody out of the folder.
  const backup = await openBackup(file);
  try {
    const lock = await FolderLock.take(folder, "restore");
    try {
      return await restoreInto(folder, lock, backup, options);
    } finally {
      lock.release();
    }
  } finally {
    await backup.handle.close();
  }
}

async function restoreInto(
  folder: string,
  lock: FolderLock,
  backup: OpenBackup,
  { force, random }: RestoreOptions,
): Promise<{ readonly checked: boolean }> {
  const store = join(folder, STORE_FILE);
  requireTableOfReaders(store);
  if (isStoreAt(store)) {
    // What LMDB cannot open, no process has open.
    if (storeStateOf(store) === "whole" && (await isOpen(store)))
      throw new BackupRejected(`another process has the store in ${folder} open: stop it first`);
    if (!force) throw new BackupRejected(`there is a store in ${folder}: it is replaced only with --force`);
  }
  const restoring = `${STORE_FILE}.restoring`;
  const restored = join(folder, restoring);
  const unlock = (path: string): Promise<void> => rm(`${path}-lock`, { force: true });
  // What an interrupted restore has left.
  for (const path of [restored, `${restored}-lock`]) await rm(path, { force: true });
  const unsealed = await unsealBackup(backup, restored);
  try {
    if (storeStateOf(restored) !== "whole") throw new BackupRejected(`${backup.path} is cut short or damaged`);
    await beginNewLog(folder, restoring, random);
    await flushed(restored);
    if (!lock.isStoreUnchanged())
      throw new BackupRejected(`another process has changed the store in ${folder} meanwhile`);
    await unlock(store);
    await rename(restored, store);
  } catch (error) {
    await rm(restored, { force: true });
    throw error;
  } finally {
    await unlock(restored);
  }
  await flushed(folder);
  return unsealed;
}

async function beginNewLog(folder: string, file: string, random: Random): Promise<void> {
  const db = openLayout(folder, random, file);
  try {
    if (db.meta.get("schema") === undefined) throw new BackupRejected("the file is no backup of a store");
    await prepareSchema(db, random);
    await db.commits.run(() => {
      beginLife(db, newLogId(random));
    });
  } finally {
    await db.env.close();
  }
}

/**
 * Whether another process has the store open that takes no lock, a backup for one: each has an entry in its table of
 * readers, which its death frees.
 */
async function isOpen(store: string): Promise<boolean> {
  const env = openToRead(store);
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
