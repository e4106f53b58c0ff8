// The newest entries of the log in memory: a thousand watches that wake at once read the store once.
import type { Invalidation, LogPosition } from "../../../domain/stored.js";

/** About 2 MB. */
const MAX_ENTRIES = 10_000;

export class LogTail {
  private log = "";
  /** Number of the first of the entries. */
  private first = 1;
  private entries: Invalidation[] = [];

  /** Entries that follow a position. Where they do not follow what is there, they begin anew. */
  add({ log, cursor }: LogPosition, entries: readonly Invalidation[]): void {
    if (log !== this.log || cursor + 1 !== this.first + this.entries.length) {
      this.log = log;
      this.first = cursor + 1;
      this.entries = [];
    }
    this.entries.push(...entries);
    const surplus = this.entries.length - MAX_ENTRIES;
    if (surplus <= 0) return;
    this.entries.splice(0, surplus);
    this.first += surplus;
  }

  /** Entries up to this one have been trimmed. */
  trimmed(upTo: number): void {
    const going = Math.max(0, Math.min(this.entries.length, upTo + 1 - this.first));
    this.entries.splice(0, going);
    this.first += going;
  }

  /** Undefined where not all of them up to the limit, or up to the head, are here. */
  after({ log, cursor }: LogPosition, limit: number, head: LogPosition): readonly Invalidation[] | undefined {
    const start = cursor + 1 - this.first;
    const count = Math.min(limit, head.cursor - cursor);
    if (log !== this.log || start < 0 || start + count > this.entries.length) return undefined;
    return this.entries.slice(start, start + count);
  }
}
