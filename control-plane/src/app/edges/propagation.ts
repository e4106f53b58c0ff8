// How long revocations take to reach edges: from their commit to each edge's next watch that has passed them.
import type { LogPosition } from "../../domain/stored.js";
import type { LogAdvance } from "../ports/log-ports.js";
import type { Clock } from "../ports/ports.js";

/** Commits that some edge has not passed yet. Past this many the oldest are forgotten, and not measured. */
const MAX_POINTS = 1024;

interface Point extends LogPosition {
  readonly atMs: number;
}

/** An edge is measured from its first watch on: what was before that it did not receive by watching. */
export class Propagation {
  /** The oldest first, so cursors of one log grow. */
  private readonly points: Point[] = [];

  constructor(
    private readonly clock: Pick<Clock, "monotonicMs">,
    private readonly propagated: (ms: number) => void,
  ) {}

  /** Revocations are durable up to this entry. */
  advanced({ log, cursor, revoked }: LogAdvance): void {
    if (!revoked) return;
    if (this.points.length >= MAX_POINTS) this.points.shift();
    this.points.push({ log, cursor, atMs: this.clock.monotonicMs() });
  }

  /** An edge that said `before` with the watch before this one now says `since`. */
  passed(before: LogPosition, since: LogPosition): void {
    const nowMs = this.clock.monotonicMs();
    for (const point of this.points) if (isBetween(point, before, since)) this.propagated(nowMs - point.atMs);
  }
}

/** Where the log became another one the edge began anew: so it has passed all of the former, and what was before its cursor. */
function isBetween({ log, cursor }: Point, before: LogPosition, since: LogPosition): boolean {
  const isAfter = log !== before.log || cursor > before.cursor;
  const isReached = log !== since.log || cursor <= since.cursor;
  return isAfter && isReached && (log === before.log || log === since.log);
}
