// The log's port over a list, for tests of what uses it. It passes the same contract as the real one.
import type { Invalidation, InvalidationKind, LogPosition } from "../../domain/stored.js";
import { entriesToTrim } from "../../domain/trimming.js";
import type { LogAdvance, LogLimits, LogReading } from "../../app/ports/log-ports.js";
import type { InvalidationLog } from "../../app/ports/log-ports.js";

export class MemoryLog implements InvalidationLog {
  private readonly listeners = new Set<(advance: LogAdvance) => void>();
  /** Those not trimmed; the first has the number `trimmed + 1`. */
  private readonly entries: Invalidation[] = [];
  private trimmed = 0;

  constructor(public id = "10000000000000aa") {}

  /** The store has another log from now on, which lacks the newest `lost` entries: their numbers come again. */
  change(id: string, lost = 0): void {
    this.id = id;
    this.entries.splice(Math.max(0, this.entries.length - lost));
    this.tell(false);
  }

  /** Durable at once; listeners are called before this returns. */
  append(kind: InvalidationKind, sessionId: string, atMs: number): number {
    this.entries.push({ kind, sessionId, atMs });
    this.tell(kind === "revoked");
    return this.now().cursor;
  }

  now(): LogPosition {
    return { log: this.id, cursor: this.trimmed + this.entries.length };
  }

  position(): Promise<LogPosition> {
    return Promise.resolve(this.now());
  }

  read({ log, cursor: since }: LogPosition, limit: number): Promise<LogReading> {
    const position = this.now();
    const isWithin = log === position.log && since <= position.cursor && since >= this.trimmed;
    if (!isWithin) return Promise.resolve({ kind: "outOfReach", position });
    const entries = this.entries.slice(since - this.trimmed).slice(0, limit);
    return Promise.resolve({ kind: "entries", position: { log, cursor: since + entries.length }, entries });
  }

  subscribe(listener: (advance: LogAdvance) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  trim(limits: LogLimits, chunk: number): Promise<number> {
    const surplus = this.entries.length - limits.entries;
    const aged = this.entries.map(({ atMs }, i) => ({ atMs, isSurplus: i < surplus }));
    const going = entriesToTrim(aged, limits, chunk);
    this.entries.splice(0, going);
    this.trimmed += going;
    return Promise.resolve(going);
  }

  private tell(revoked: boolean): void {
    for (const listener of this.listeners) listener({ ...this.now(), revoked });
  }
}
