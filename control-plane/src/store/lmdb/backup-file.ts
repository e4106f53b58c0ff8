// A backup's file: one line that says how long the store in it is and its SHA-256, then the store as LMDB keeps it.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

import { codeOf, openRegular, UnfitFile } from "../../files/regular-file.js";

/** Why nothing was done, in one sentence for the operator. */
export class BackupRejected extends Error {
  override readonly name = "BackupRejected";
}

/** To be closed by whoever opened it. */
export interface OpenBackup {
  readonly path: string;
  readonly handle: FileHandle;
}

interface Seal {
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

const MARK = "sluice backup ";
const FORMAT = `${MARK}1`;
const LENGTH_CHARS = 15;
const LINE = new RegExp(`^${FORMAT} (\\d{${LENGTH_CHARS}}) ([0-9a-f]{64})\n$`);
const LINE_BYTES = lineOf({ bytes: 0, sha256: "0".repeat(64) }).length;
/** Of a store that is in its file alone, as backups once did: in the first page, after a header whose size differs. */
const LMDB_MARK = Buffer.from([0xde, 0xc0, 0xef, 0xbe]);
const LMDB_MARK_SEARCHED_BYTES = 64;

/** Makes a new backup's file of a store's copy, durably and for its owner's eyes: it holds user ids and addresses. */
export async function sealBackup(copy: string, file: string): Promise<void> {
  const seal = await sealOf(copy);
  const sealed = async function* (): AsyncGenerator<Buffer | string> {
    yield lineOf(seal);
    yield* createReadStream(copy) as AsyncIterable<Buffer>;
  };
  await pipeline(sealed, createWriteStream(file, { flags: "wx", mode: 0o600, flush: true }));
}

/** Waits for nobody, and says what stands there in place of a file. */
export async function openBackup(path: string): Promise<OpenBackup> {
  try {
    return { path, handle: await openRegular(path) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw new BackupRejected(`there is no backup ${path}`);
    if (error instanceof UnfitFile) throw new BackupRejected(`${path} is no backup of a store: ${error.message}`);
    throw error;
  }
}

/**
 * Writes the store of a backup to a new file. A failure leaves no such file. Answers whether it could be
 * checked: backups were once without a seal.
 */
export async function unsealBackup(backup: OpenBackup, store: string): Promise<{ readonly checked: boolean }> {
  const { path: file, handle } = backup;
  const start = await startOf(handle);
  const isSealed = start.startsWith(MARK);
  if (!isSealed && !start.slice(0, LMDB_MARK_SEARCHED_BYTES).includes(LMDB_MARK.toString("latin1"))) {
    throw new BackupRejected(`${file} is no backup of a store`);
  }
  const seal = isSealed ? readLine(file, start) : undefined;
  try {
    await pipeline(
      handle.createReadStream({ start: isSealed ? LINE_BYTES : 0, autoClose: false }),
      createWriteStream(store, { flags: "wx", mode: 0o600 }),
    );
    if (seal !== undefined) rejectOther(file, seal, await sealOf(store));
  } catch (error) {
    await rm(store, { force: true });
    throw error;
  }
  return { checked: isSealed };
}

function rejectOther(file: string, expected: Seal, found: Seal): void {
  if (found.bytes < expected.bytes) {
    throw new BackupRejected(`${file} is cut short: it has ${found.bytes} of ${expected.bytes} bytes of the store`);
  }
  if (found.sha256 !== expected.sha256) {
    throw new BackupRejected(`${file} is damaged: what it holds is not what was written (its check sum differs)`);
  }
}

function lineOf({ bytes, sha256 }: Seal): string {
  return `${FORMAT} ${String(bytes).padStart(LENGTH_CHARS, "0")} ${sha256}\n`;
}

function readLine(file: string, start: string): Seal {
  const [, bytes, sha256] = LINE.exec(start) ?? [];
  if (bytes !== undefined && sha256 !== undefined) return { bytes: Number(bytes), sha256 };
  throw new BackupRejected(`${file} is cut short or damaged, or of a newer version: its first line cannot be read`);
}

async function startOf(handle: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(LINE_BYTES), 0, LINE_BYTES, 0);
  return buffer.toString("latin1", 0, bytesRead);
}

async function sealOf(file: string): Promise<Seal> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return { bytes: (await stat(file)).size, sha256: hash.digest("hex") };
}
