// Group commit of reported rows: what arrives while one commit is under way goes with the next, in bounded pieces.

import type { ReportedSession } from "../../domain/decisions/report-usage.js";
import type { ReportedRow } from "../../domain/decisions/reported-rows.js";
import { UpdateConflict } from "../ports/update-ports.js";

/** A commit holds up the event loop while its rows are written; measured at about 10 µs a row. */
const MAX_ROWS_A_COMMIT = 256;
/** About 20 MB. Past it a report is denied: its edge keeps the rows, and sends newer figures a little later. */
const MAX_WAITING_ROWS = 65_536;

/** What became of each session by its rows. Undefined: too much waits already, and nothing was taken. */
export type Committed = ReadonlyMap<string, ReportedSession>;

/** What became of a group: each of its sessions is in one of the two. */
interface Written {
  readonly committed: Committed;
  /** By session id: why its rows are not known to be written. */
  readonly failures: ReadonlyMap<string, unknown>;
}

interface Piece {
  readonly rows: readonly ReportedRow[];
  readonly done: (committed: Committed) => void;
  readonly failed: (reason: unknown) => void;
}

export class UsageCommits {
  private waiting: Piece[] = [];
  private waitingRows = 0;
  private running = false;

  constructor(
    /** Commits rows, of a session at an instance in the order of their rev; resolves once they are durable. */
    private readonly write: (rows: readonly ReportedRow[]) => Promise<Committed>,
    /** Told of each commit once, however many reports were in it. */
    private readonly onCommit: (committed: Committed) => void,
  ) {}

  /** Resolves once all rows are durable. */
  async commit(rows: readonly ReportedRow[]): Promise<Committed | undefined> {
    if (rows.length === 0) return new Map();
    if (this.waitingRows + rows.length > MAX_WAITING_ROWS) return undefined;
    const pieces: Promise<Committed>[] = [];
    for (let start = 0; start < rows.length; start += MAX_ROWS_A_COMMIT) {
      pieces.push(this.enqueue(rows.slice(start, start + MAX_ROWS_A_COMMIT)));
    }
    if (!this.running) void this.run();
    return new Map((await Promise.all(pieces)).flatMap((committed) => [...committed]));
  }

  private enqueue(rows: readonly ReportedRow[]): Promise<Committed> {
    this.waitingRows += rows.length;
    return new Promise((done, failed) => this.waiting.push({ rows, done, failed }));
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      const group = this.takeGroup();
      const { committed, failures } = await this.written(rowsThatCount(group.flatMap(({ rows }) => rows)));
      for (const { rows, done, failed } of group) {
        const failure = rows.find(({ sessionId }) => failures.has(sessionId));
        if (failure === undefined) done(of(rows, committed));
        else failed(failures.get(failure.sessionId));
      }
    }
    this.running = false;
  }

  /** Where other processes write some of the sessions all the time, in halves: the others are not held up by those. */
  private async written(rows: readonly ReportedRow[]): Promise<Written> {
    try {
      const committed = await this.write(rows);
      this.onCommit(committed);
      return { committed, failures: new Map() };
    } catch (error) {
      const halves = error instanceof UpdateConflict ? halvesOf(rows) : undefined;
      if (halves === undefined) {
        return { committed: new Map(), failures: new Map(rows.map(({ sessionId }) => [sessionId, error])) };
      }
      const [first, second] = [await this.written(halves[0]), await this.written(halves[1])];
      return {
        committed: new Map([...first.committed, ...second.committed]),
        failures: new Map([...first.failures, ...second.failures]),
      };
    }
  }

  private takeGroup(): Piece[] {
    let rows = 0;
    let taken = 0;
    for (const piece of this.waiting) {
      if (taken > 0 && rows + piece.rows.length > MAX_ROWS_A_COMMIT) break;
      rows += piece.rows.length;
      taken++;
    }
    this.waitingRows -= rows;
    return this.waiting.splice(0, taken);
  }
}

/**
 * Of rows about the same session at the same instance only those that count: the newest one, and before it the newest that
 * tells of further limits, where it does not.
 */
export function rowsThatCount(rows: readonly ReportedRow[]): ReportedRow[] {
  const newest = new Map<string, ReportedRow>();
  const newestOfLimits = new Map<string, ReportedRow>();
  for (const row of rows) {
    const key = `${row.sessionId}${row.instance}${row.edge}`;
    if (row.rev >= (newest.get(key)?.rev ?? 0)) newest.set(key, row);
    if (row.limits === undefined) continue;
    if (row.rev >= (newestOfLimits.get(key)?.rev ?? 0)) newestOfLimits.set(key, row);
  }
  return [...newest].flatMap(([key, row]) => {
    const ofLimits = newestOfLimits.get(key);
    if (ofLimits === undefined) return [row];
    return ofLimits.rev === row.rev ? [ofLimits] : [ofLimits, row];
  });
}

/** By session. Undefined where they are all of one. */
function halvesOf(rows: readonly ReportedRow[]): readonly [ReportedRow[], ReportedRow[]] | undefined {
  const ids = [...new Set(rows.map(({ sessionId }) => sessionId))];
  if (ids.length < 2) return undefined;
  const first = new Set(ids.slice(0, ids.length / 2));
  const isFirst = ({ sessionId }: ReportedRow): boolean => first.has(sessionId);
  return [rows.filter(isFirst), rows.filter((row) => !isFirst(row))];
}

function of(rows: readonly ReportedRow[], committed: Committed): Committed {
  const own = new Map<string, ReportedSession>();
  for (const { sessionId } of rows) {
    const session = committed.get(sessionId);
    if (session !== undefined) own.set(sessionId, session);
  }
  return own;
}
