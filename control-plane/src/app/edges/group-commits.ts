// Group commit of what edges say of sessions: what arrives while one commit is under way goes with the next, in bounded pieces.
import type { FollowedRequest, Requests } from "../ports/tracing-ports.js";
import { UpdateConflict } from "../ports/update-ports.js";

/** One thing that a call says of a session. */
export interface RowOfCall {
  readonly sessionId: string;
}

/** What became of each session by the rows about it. */
export type Became<Of> = ReadonlyMap<string, Of>;

/** What became of a group: each of its sessions is in one of the two. */
interface Written<Of> {
  readonly committed: Became<Of>;
  /** By session id: why its rows are not known to be written. */
  readonly failures: ReadonlyMap<string, unknown>;
}

interface Piece<Row, Of> {
  readonly rows: readonly Row[];
  /** Whose they are. */
  readonly requests: readonly FollowedRequest[];
  readonly done: (committed: Became<Of>) => void;
  readonly failed: (reason: unknown) => void;
}

export interface GroupCommitsParts<Row, Of> {
  /** Commits rows in their order; resolves once they are durable. */
  readonly write: (rows: readonly Row[]) => Promise<Became<Of>>;
  /** Told of each commit once, however many calls were in it. */
  readonly onCommit: (committed: Became<Of>) => void;
  /** Of the rows of a group those that are written. */
  readonly thatCount: (rows: readonly Row[]) => readonly Row[];
  /** Whether a call of which not all is written is told of what is; else it fails as a whole. */
  readonly inPart: boolean;
  /** A commit holds up the event loop while its rows are written. */
  readonly maxRowsACommit: number;
  /** Past it a call is denied. */
  readonly maxWaitingRows: number;
  /** Knows whose rows are committed; undefined: nobody asks. */
  readonly requests?: Requests | undefined;
}

export class GroupCommits<Row extends RowOfCall, Of> {
  private waiting: Piece<Row, Of>[] = [];
  private waitingRows = 0;
  private running = false;

  constructor(private readonly parts: GroupCommitsParts<Row, Of>) {}

  /** Resolves once all rows are durable. Undefined: too much waits already, and nothing was taken. */
  async commit(rows: readonly Row[]): Promise<Became<Of> | undefined> {
    const { maxRowsACommit, maxWaitingRows } = this.parts;
    if (rows.length === 0) return new Map();
    if (this.waitingRows + rows.length > maxWaitingRows) return undefined;
    const pieces: Promise<Became<Of>>[] = [];
    for (let start = 0; start < rows.length; start += maxRowsACommit) {
      pieces.push(this.enqueue(rows.slice(start, start + maxRowsACommit)));
    }
    if (!this.running) void this.run();
    return new Map((await Promise.all(pieces)).flatMap((committed) => [...committed]));
  }

  private enqueue(rows: readonly Row[]): Promise<Became<Of>> {
    this.waitingRows += rows.length;
    const requests = this.parts.requests?.current() ?? [];
    return new Promise((done, failed) => this.waiting.push({ rows, requests, done, failed }));
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      const group = this.takeGroup();
      const { committed, failures } = await this.writtenFor(group);
      for (const { rows, done, failed } of group) {
        const lost = rows.filter(({ sessionId }) => failures.has(sessionId));
        const [failure] = this.parts.inPart && lost.length < rows.length ? [] : lost;
        if (failure === undefined) done(of(rows, committed));
        else failed(failures.get(failure.sessionId));
      }
    }
    this.running = false;
  }

  /** The first one's request began the loop; what is written is written for all of the group. */
  private writtenFor(group: readonly Piece<Row, Of>[]): Promise<Written<Of>> {
    const write = (): Promise<Written<Of>> => this.written(this.parts.thatCount(group.flatMap(({ rows }) => rows)));
    const { requests } = this.parts;
    return requests === undefined
      ? write()
      : requests.run([...new Set(group.flatMap((piece) => piece.requests))], write);
  }

  /** Where other processes write some of the sessions all the time, in halves: the others are not held up by those. */
  private async written(rows: readonly Row[]): Promise<Written<Of>> {
    try {
      const committed = await this.parts.write(rows);
      this.parts.onCommit(committed);
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

  private takeGroup(): Piece<Row, Of>[] {
    let rows = 0;
    let taken = 0;
    for (const piece of this.waiting) {
      if (taken > 0 && rows + piece.rows.length > this.parts.maxRowsACommit) break;
      rows += piece.rows.length;
      taken++;
    }
    this.waitingRows -= rows;
    return this.waiting.splice(0, taken);
  }
}

/** By session. Undefined where they are all of one. */
function halvesOf<Row extends RowOfCall>(rows: readonly Row[]): readonly [Row[], Row[]] | undefined {
  const ids = [...new Set(rows.map(({ sessionId }) => sessionId))];
  if (ids.length < 2) return undefined;
  const first = new Set(ids.slice(0, ids.length / 2));
  const isFirst = ({ sessionId }: Row): boolean => first.has(sessionId);
  return [rows.filter(isFirst), rows.filter((row) => !isFirst(row))];
}

function of<Of>(rows: readonly RowOfCall[], committed: Became<Of>): Became<Of> {
  const own = new Map<string, Of>();
  for (const { sessionId } of rows) {
    const session = committed.get(sessionId);
    if (session !== undefined) own.set(sessionId, session);
  }
  return own;
}
