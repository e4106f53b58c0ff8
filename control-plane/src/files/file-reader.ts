// Reads files that others put there, such that none of them can hang or flood the process: regular, bounded, in time.
import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import type { Timers } from "../app/ports/log-ports.js";
import { nodeTimers } from "./node-timers.js";
import { codeOf, openedAtOnce, requireRegular, UnfitFile } from "./regular-file.js";
import type { Kind } from "./regular-file.js";
import { Turns } from "./turns.js";

/** In place of a fingerprint: nothing has this name. */
export const MISSING = "missing";

interface Status extends Kind {
  readonly size: number;
}

interface OpenFile {
  stat(): Promise<Status>;
  read(buffer: Buffer, offset: number, length: number, position: null): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

/** What is asked of the file system; tests give another. */
export interface FileSystem {
  readonly open: (path: string, flags: number) => Promise<OpenFile>;
  readonly stat: (path: string) => Promise<Record<"dev" | "ino" | "size" | "mode" | "mtimeNs" | "ctimeNs", bigint>>;
}

export interface FileReaderParts {
  readonly fileSystem: FileSystem;
  readonly timers: Timers;
  readonly deadlineMs: number;
  /** Whether a pipe is read too, as `<(command)` of a shell is one. */
  readonly pipes: boolean;
}

/** A disk that spins up takes some seconds. */
const DEADLINE_MS = 5000;
const READABLE_BY_ALL = BigInt(constants.S_IROTH);
const CHUNK_BYTES = 65_536;
const PIPE_POLL_MS = 20;
/** Nobody has opened the other end so long: nothing will come. */
const PIPE_WRITER_MS = 1000;

const ofNode: FileSystem = { open, stat: (path) => stat(path, { bigint: true }) };

/** All that one reader reads, it reads one after the other: files that belong together share one. */
export class FileReader {
  private readonly parts: FileReaderParts;
  private readonly turns: Turns;

  constructor(parts: Partial<FileReaderParts> = {}) {
    this.parts = { fileSystem: ofNode, timers: nodeTimers, deadlineMs: DEADLINE_MS, pipes: false, ...parts };
    this.turns = new Turns(this.parts.timers, this.parts.deadlineMs);
  }

  /**
   * The whole content. Links are followed. Rejects with UnfitFile where it is no regular file or longer than that; with
   * another error where it could not be read now.
   */
  read(path: string, maxBytes: number): Promise<Buffer> {
    return this.turns.take(() => this.readNow(path, maxBytes));
  }

  /**
   * Differs whenever the file was written, replaced, or its links were led elsewhere. The time of the last status change
   * cannot be set by programs that put an old modification time back. Never rejects.
   */
  async fingerprint(path: string): Promise<string> {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await this.turns.take(() => this.parts.fileSystem.stat(path));
      return [dev, ino, size, mtimeNs, ctimeNs].join(":");
    } catch (error) {
      return isNotThere(error) ? MISSING : whyUnreadable(error);
    }
  }

  /** Whether every user of this machine may read it, links followed; false where it cannot be looked at. Never rejects. */
  async isWorldReadable(path: string): Promise<boolean> {
    try {
      const { mode } = await this.turns.take(() => this.parts.fileSystem.stat(path));
      return (mode & READABLE_BY_ALL) !== 0n;
    } catch {
      return false;
    }
  }

  /** Nothing is read any more. Resolves with false where a reading hangs: then the process cannot end by itself either. */
  end(withinMs: number): Promise<boolean> {
    return this.turns.end(withinMs);
  }

  private async readNow(path: string, maxBytes: number): Promise<Buffer> {
    const file = await openedAtOnce(this.parts.fileSystem.open, path);
    try {
      const status = await file.stat();
      const isPipe = status.isFIFO() && this.parts.pipes;
      if (!isPipe) requireRegular(status);
      if (status.size > maxBytes) throw new UnfitFile(tooLong(maxBytes, String(status.size)));
      return await this.contentOf(file, maxBytes, isPipe);
    } finally {
      await file.close();
    }
  }

  /** Of a file that grows meanwhile no more than `maxBytes` are ever held. */
  private async contentOf(file: OpenFile, maxBytes: number, isPipe: boolean): Promise<Buffer> {
    const parts: Buffer[] = [];
    let total = 0;
    let waitedMs = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, maxBytes + 1 - total));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null).catch(nothingYet);
      total += Math.max(bytesRead, 0);
      if (total > maxBytes) throw new UnfitFile(tooLong(maxBytes, "more"));
      if (bytesRead > 0) parts.push(chunk.subarray(0, bytesRead));
      else if (!isPipe || (bytesRead === 0 && total > 0)) return Buffer.concat(parts);
      else {
        // The deadline of the turn does not end this: it has ended for whoever asked.
        if (bytesRead === 0 && waitedMs >= PIPE_WRITER_MS) throw new UnfitFile("nothing was written into the pipe");
        if (waitedMs >= this.parts.deadlineMs) throw new Error("the pipe's writer stands still");
        await delay(PIPE_POLL_MS);
        waitedMs += PIPE_POLL_MS;
      }
    }
  }
}

/** In a few words, for a person; without the path. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof UnfitFile || !(error instanceof Error))
    return error instanceof Error ? error.message : String(error);
  return "code" in error ? String(error.code) : error.message;
}

const tooLong = (maxBytes: number, got: string): string => `expected at most ${maxBytes} bytes, got ${got}`;

const isNotThere = (error: unknown): boolean => codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";

/** A pipe whose writer has nothing at the moment. */
function nothingYet(error: unknown): { bytesRead: number } {
  if (codeOf(error) === "EAGAIN") return { bytesRead: -1 };
  throw error;
}
