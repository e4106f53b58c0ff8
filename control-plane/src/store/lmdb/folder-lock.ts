// One process a folder, by locks that the kernel holds: LMDB would let a second one write too, and neither would see the other.
import { closeSync, constants, existsSync, fstatSync, ftruncateSync } from "node:fs";
import { readFileSync, statSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { messageOf } from "../../domain/message-of.js";
import { makeFolder, openedForWriting } from "../../files/own-folder.js";
import { requireRegular, UnfitFile } from "../../files/regular-file.js";
import { STORE_FILE } from "./layout.js";
import { isStoreAt } from "./store-file.js";

const LOCK_FILE = "control-plane.lock";
const OWNER_ONLY = 0o700;
/** Between opening the file and locking it, another process may delete or replace it. */
const MAX_TRIES = 5;

/** For messages: what holds the folder. */
export type FolderUse = "control plane" | "restore" | "copy";

type TryLock = (fd: number) => boolean;

/**
 * A process's claim on a folder. Its end, however it comes, frees the folder at once; no child inherits it, since Node
 * opens files to be closed on exec.
 */
export class FolderLock {
  private lockFile: number | undefined;
  private store: number | undefined;

  private constructor(
    private readonly folder: string,
    private readonly tryLock: TryLock,
  ) {}

  /** Rejects where another process has the folder, whatever its number and namespace; nothing of that one is touched. */
  static async take(folder: string, use: FolderUse, tryLock?: TryLock): Promise<FolderLock> {
    makeFolder(folder, OWNER_ONLY);
    const lock = new FolderLock(folder, tryLock ?? (await locks()));
    try {
      lock.takeLockFile(use);
      lock.takeStore();
    } catch (error) {
      lock.release();
      throw error;
    }
    return lock;
  }

  /**
   * Holds the store's file as well, where there is one: so the folder stays taken though its lock file be deleted. To be
   * called again once there is one.
   */
  takeStore(): void {
    const path = join(this.folder, STORE_FILE);
    if (this.store !== undefined || !isStoreAt(path)) return;
    this.store = openedForWriting(path);
    if (this.locked(this.store)) return;
    throw new Error(`another process has ${path} open (the lock file ${LOCK_FILE} beside it was removed meanwhile)`);
  }

  /** Whether the store's file, or that there is none, is still what was taken. */
  isStoreUnchanged(): boolean {
    const path = join(this.folder, STORE_FILE);
    return this.store === undefined ? !existsSync(path) : isAt(path, this.store);
  }

  release(): void {
    for (const fd of [this.store, this.lockFile]) if (fd !== undefined) closeSync(fd);
    this.store = this.lockFile = undefined;
  }

  private takeLockFile(use: FolderUse): void {
    const path = join(this.folder, LOCK_FILE);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const fd = openedForWriting(path, constants.O_CREAT | constants.O_NONBLOCK);
      try {
        // Whoever reads it waits for nobody then.
        requireRegular(fstatSync(fd), path);
        if (!this.locked(fd)) throw new Error(`the folder ${this.folder} is in use${holderIn(path)}`);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      if (!isAt(path, fd)) {
        closeSync(fd);
        continue;
      }
      this.lockFile = fd;
      noteHolder(fd, use);
      return;
    }
    throw new Error(`the lock file ${path} was replaced ${MAX_TRIES} times while it was being locked`);
  }

  private locked(fd: number): boolean {
    try {
      return this.tryLock(fd);
    } catch (error) {
      const reason = messageOf(error);
      throw new UnfitFile(
        `the file system of ${this.folder} gives no locks (${reason}): keep the store on a local disk`,
      );
    }
  }
}

/** Loaded here, so that a platform that it was not built for gives one sentence. */
async function locks(): Promise<TryLock> {
  try {
    return (await import("fs-native-extensions")).tryLock;
  } catch (error) {
    const reason = messageOf(error);
    throw new Error(`file locks are not available on ${process.platform}-${process.arch}: ${reason}`);
  }
}

function isAt(path: string, fd: number): boolean {
  const [found, opened] = [statSync(path, { bigint: true, throwIfNoEntry: false }), fstatSync(fd, { bigint: true })];
  return found?.ino === opened.ino && found.dev === opened.dev;
}

/** For people; on a full disk it stays empty. */
function noteHolder(fd: number, use: FolderUse): void {
  try {
    ftruncateSync(fd);
    writeSync(fd, `${use}, process ${process.pid} on ${hostname()}\n`, 0);
  } catch {
    // The lock holds without it.
  }
}

/** What the holder has said of itself: of a process in another container, its number there. */
function holderIn(path: string): string {
  try {
    const said = readFileSync(path, "utf8").trim();
    return said === "" ? "" : `: ${said}`;
  } catch {
    return "";
  }
}
