// The invalidation log, which any process may write to: commits of this one and messages of the others move its head, and a
// look each second finds what a lost message said.
import type { InvalidationLog, LogAdvance, LogLimits, LogReading } from "../../../app/ports/log-ports.js";
import type { Logger } from "../../../app/ports/ports.js";
import type { Invalidation, InvalidationKind, LogPosition } from "../../../domain/stored.js";
import { entriesToTrim } from "../../../domain/trimming.js";
import type { AgedEntry } from "../../../domain/trimming.js";
import type { Reply } from "../connection/client.js";
import { KEYS } from "../keys.js";
import type { Reads } from "../reading/reads.js";
import type { Commits } from "../writing/commits.js";
import { LogTail } from "./log-tail.js";

/** Of a trim, looked at in one step. */
const LOOKED_AT = 1000;

export interface RedisLogParts {
  readonly reads: Reads;
  readonly commits: Commits;
  readonly logger: Pick<Logger, "warn">;
}

export class RedisLog implements InvalidationLog {
  private readonly listeners = new Set<(advance: LogAdvance) => void>();
  /** The newest that any answer of the store has named. */
  private head: LogPosition | undefined;
  /** Up to where listeners know. */
  private announced: LogPosition | undefined;
  private readonly tail = new LogTail();
  private asked: Promise<LogPosition> | undefined;
  private telling: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly parts: RedisLogParts) {}

  /** All that ask in one turn are answered by one reading, which begins after each of them asked. */
  position(): Promise<LogPosition> {
    this.asked ??= this.ask();
    return this.asked;
  }

  async read(since: LogPosition, limit: number): Promise<LogReading> {
    const head = await this.position();
    if (since.log !== head.log || since.cursor > head.cursor) return { kind: "outOfReach", position: head };
    if (since.cursor === head.cursor) return { kind: "entries", position: since, entries: [] };
    const entries = this.tail.after(since, limit, head) ?? (await this.stored(since, limit));
    // Where nothing comes, or another first one, the entries in between have been trimmed, or were never written.
    if (entries === undefined) return { kind: "outOfReach", position: head };
    return { kind: "entries", position: { ...since, cursor: since.cursor + entries.length }, entries };
  }

  subscribe(listener: (advance: LogAdvance) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Of every answer of the store: the head is at least there. */
  noteHead(head: LogPosition): void {
    if (this.head?.log === head.log && this.head.cursor >= head.cursor) return;
    this.head = head;
    this.announced ??= head;
    void this.tell();
  }

  /** Another process may have appended: the answer of the store says. What a lost message said, the look each second finds. */
  woken(): void {
    this.position().catch(() => undefined);
  }

  /** Resolves once listeners know of all that is known by now. */
  async told(): Promise<void> {
    await this.telling;
  }

  async trim(limits: LogLimits, chunk: number): Promise<number> {
    const { cursor } = await this.position();
    const reply = await this.parts.reads.command(["XRANGE", KEYS.log, "-", "+", "COUNT", String(LOOKED_AT)]);
    const oldest = entriesIn(reply);
    const aged = oldest.map(({ number, entry }): AgedEntry => {
      return { atMs: entry.atMs, isSurplus: number <= cursor - limits.entries };
    });
    const going = entriesToTrim(aged, limits, chunk);
    const last = oldest[going - 1];
    if (last === undefined) return 0;
    await this.parts.commits.run([], [["XTRIM", KEYS.log, "MINID", `${last.number + 1}-0`]], "taken");
    this.tail.trimmed(last.number);
    return going;
  }

  /** Listeners are called no more. */
  close(): void {
    this.closed = true;
  }

  private async ask(): Promise<LogPosition> {
    // After everything that the replies of this turn lead to: each acquire asks when its commit has been answered.
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
    this.asked = undefined;
    return (await this.parts.reads.run([])).position;
  }

  private async stored(since: LogPosition, limit: number): Promise<readonly Invalidation[] | undefined> {
    const from = `${since.cursor + 1}-0`;
    const { position, answers } = await this.parts.reads.run([["entries", from, String(limit)]]);
    const found = entriesIn(answers[0] ?? []);
    if (position.log !== since.log || found[0]?.number !== since.cursor + 1) return undefined;
    // A commit that broke off has taken its numbers all the same.
    const gap = found.findIndex(({ number }, i) => number !== since.cursor + 1 + i);
    return (gap < 0 ? found : found.slice(0, gap)).map(({ entry }) => entry);
  }

  /** One at a time; what is noted meanwhile is told after it. */
  private tell(): Promise<void> {
    this.telling ??= this.tellAll().finally(() => {
      this.telling = undefined;
    });
    return this.telling;
  }

  private async tellAll(): Promise<void> {
    for (;;) {
      const { head, announced } = this;
      if (this.closed || head === undefined || announced === undefined || isSame(head, announced)) return;
      const revoked = head.log === announced.log && (await this.fetched(announced, head));
      this.announced = head;
      for (const listener of this.listeners) listener({ ...head, revoked });
    }
  }

  /** The entries in between, for those who read next. Answers whether one of them is a revocation; true where that is not known. */
  private async fetched(from: LogPosition, to: LogPosition): Promise<boolean> {
    try {
      let revoked = false;
      for (let at = from; at.cursor < to.cursor;) {
        const entries = await this.stored(at, LOOKED_AT);
        if (entries === undefined) return true;
        this.tail.add(at, entries);
        revoked ||= entries.some(({ kind }) => kind === "revoked");
        at = { ...at, cursor: at.cursor + entries.length };
      }
      return revoked;
    } catch (error) {
      const fields = { event: "log-read-failed", error: String(error) };
      this.parts.logger.warn(
        fields,
        "new entries of the invalidation log could not be read: watches read them themselves",
      );
      return true;
    }
  }
}

const isSame = (one: LogPosition, other: LogPosition): boolean => one.log === other.log && one.cursor === other.cursor;

/** As XRANGE gives them. */
function entriesIn(reply: Reply): { readonly number: number; readonly entry: Invalidation }[] {
  return (reply as readonly [id: string, fields: readonly string[]][]).map(([id, fields]) => {
    const [, kind = "", , sessionId = "", , atMs = ""] = fields;
    return {
      number: Number.parseInt(id, 10),
      entry: { kind: kind as InvalidationKind, sessionId, atMs: Number(atMs) },
    };
  });
}
