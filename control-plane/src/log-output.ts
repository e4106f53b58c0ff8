// Where the log goes: an output that may be full, gone or stand still, and never holds up the process for that.
import { fstatSync, writeSync } from "node:fs";
import { Socket } from "node:net";

/** Waits in a pipe whose reader is slow; what comes beyond that is lost. */
const MAX_WAITING_BYTES = 1_048_576;

export interface LogOutputEvents {
  /** A line was lost, and the one before it was not. */
  readonly losing: (reason: string) => void;
  /** Lines are written again. */
  readonly writing: (lost: number) => void;
}

const SILENT: LogOutputEvents = { losing: () => undefined, writing: () => undefined };

export class LogOutput {
  /** Lines that could not be written so far. */
  lost = 0;
  events = SILENT;
  /** Since lines were last written; 0 while they are. */
  private losing = 0;
  /** What is missing of a line that was written in part: the next thing that goes out, so that every line is whole. */
  private rest = Buffer.alloc(0);
  /** Of a pipe or a socket; null where writing waits for nobody, as to a file. */
  private readonly socket: Socket | null;

  /** @param fd 1 or 2 */
  constructor(private readonly fd: number) {
    const status = fstatSync(fd);
    this.socket = status.isFIFO() || status.isSocket() ? new Socket({ fd, readable: false, writable: true }) : null;
    // Whoever reads has gone: what is written fails, line by line.
    this.socket?.on("error", () => undefined);
    this.socket?.unref();
  }

  /** A line with its end. Never throws. */
  write(line: string): void {
    if (this.socket === null) this.writeNow(line);
    else if (this.socket.destroyed) this.lose("EPIPE");
    else if (this.socket.writableLength > MAX_WAITING_BYTES) this.lose("its reader stands still");
    else this.send(this.socket, line);
  }

  /** Resolves once what waits is written, `withinMs` from now at the latest. */
  async end(withinMs: number): Promise<void> {
    const { socket } = this;
    if (socket === null || socket.destroyed || socket.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      socket.write("", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private send(socket: Socket, line: string): void {
    socket.write(line, (error) => {
      if (error) this.lose(codeOf(error));
    });
    if (!socket.destroyed) this.wrote();
  }

  private writeNow(line: string): void {
    const before = this.rest.length;
    const whole = Buffer.concat([this.rest, Buffer.from(line)]);
    let written = 0;
    try {
      while (written < whole.length) written += writeSync(this.fd, whole, written);
    } catch (error) {
      const isBegun = written > before;
      this.rest = whole.subarray(written, isBegun ? whole.length : before);
      if (!isBegun) this.lose(codeOf(error));
      return;
    }
    this.rest = Buffer.alloc(0);
    this.wrote();
  }

  private lose(reason: string): void {
    this.lost += 1;
    this.losing += 1;
    if (this.losing === 1) this.events.losing(reason);
  }

  private wrote(): void {
    if (this.losing === 0) return;
    const lost = this.losing;
    this.losing = 0;
    this.events.writing(lost);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);
