// The invalidation log in LMDB: entries numbered from 1 on without a gap, written in the transaction of their cause.
import type { InvalidationKind, LogPosition } from "../../domain/stored.js";
import { entriesToTrim } from "../../domain/trimming.js";
import type { LogAdvance, LogLimits, LogReading, InvalidationLog } from "../../app/ports/log-ports.js";
import type { LmdbLayout } from "./layout.js";

/**
 * Appends an entry and moves the cursor on to it; answers its number. To be called inside `commits.run`, beside
 * the writes that it tells of: both become durable together or not at all. Held watches are answered by themselves
 * once the transaction is committed.
 */
export function appendInvalidation(db: LmdbLayout, kind: InvalidationKind, sessionId: string, atMs: number): number {
  const number = cursorOf(db) + 1;
  void db.invalidations.put(number, { kind, sessionId, atMs });
  void db.meta.put("cursor", number);
  return number;
}

/** Number of the last entry, 0 before the first. Inside a transaction: with what that has appended. */
export function cursorOf(db: LmdbLayout): number {
  return db.meta.get("cursor") as number;
}

/** The head, with the id of the log as stored. Inside a transaction as above. */
export const positionOf = (db: LmdbLayout): LogPosition => ({
  log: db.meta.get("log") as string,
  cursor: cursorOf(db),
});

export class LmdbLog implements InvalidationLog {
  private readonly listeners = new Set<(advance: LogAdvance) => void>();
  /** Up to where the listeners know. */
  private announced: number;
  private closed = false;

  /** @param log the id of this log, as stored */
  constructor(
    private readonly db: LmdbLayout,
    private readonly log: string,
  ) {
    this.announced = cursorOf(db);
    db.env.on("aftercommit", () => {
      // The library turns reads to the new state after it has called back here: at once, or in a microtask of its own.
      queueMicrotask(() => {
        queueMicrotask(() => {
          try {
            this.tell();
          } catch {
            // LMDB has given up, reads too: `Commits` finds that out, and here nobody waits for an answer.
          }
        });
      });
    });
  }

  position(): Promise<LogPosition> {
    return Promise.resolve(this.at(cursorOf(this.db)));
  }

  read({ log, cursor: since }: LogPosition, limit: number): Promise<LogReading> {
    const cursor = cursorOf(this.db);
    if (log !== this.log) return Promise.resolve({ kind: "outOfReach", position: this.at(cursor) });
    if (since === cursor) return Promise.resolve({ kind: "entries", position: this.at(since), entries: [] });
    const found = since < cursor ? [...this.db.invalidations.getRange({ start: since + 1, limit })] : [];
    // Numbers have no gaps, so another first number means that the entries before it have been trimmed.
    if (found[0]?.key !== since + 1) return Promise.resolve({ kind: "outOfReach", position: this.at(cursor) });
    const entries = found.map(({ value }) => value);
    return Promise.resolve({ kind: "entries", position: this.at(since + entries.length), entries });
  }

  subscribe(listener: (advance: LogAdvance) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  trim(limits: LogLimits, chunk: number): Promise<number> {
    const { invalidations } = this.db;
    return this.db.commits.run(() => {
      const newestToGo = cursorOf(this.db) - limits.entries;
      const aged = invalidations.getRange().map(({ key, value }) => {
        return { atMs: value.atMs, isSurplus: key <= newestToGo };
      });
      const going = entriesToTrim(aged, limits, chunk);
      if (going > 0) for (const key of [...invalidations.getKeys({ limit: going })]) void invalidations.remove(key);
      return going;
    });
  }

  /** To be called before the environment is closed: listeners get no more commits. */
  close(): void {
    this.closed = true;
  }

  private at(cursor: number): LogPosition {
    return { log: this.log, cursor };
  }

  private tell(): void {
    if (this.closed) return;
    const cursor = cursorOf(this.db);
    if (cursor === this.announced) return;
    const revoked = this.hasRevocation(this.announced + 1);
    this.announced = cursor;
    for (const listener of this.listeners) listener({ ...this.at(cursor), revoked });
  }

  private hasRevocation(start: number): boolean {
    for (const { value } of this.db.invalidations.getRange({ start })) if (value.kind === "revoked") return true;
    return false;
  }
}
