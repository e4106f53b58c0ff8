// How long revocations take to reach edges: from their commit to each edge's next watch that has passed them.
import type { LogAdvance } from "../ports/log-ports.js";
import type { Clock } from "../ports/ports.js";

/** Commits that some edge has not passed yet. Past this many the oldest are forgotten, and not measured. */
const MAX_POINTS = 1024;

interface Point {
  readonly cursor: number;
  readonly atMs: number;
}

/** Of one log. An edge is measured from its first watch on: what was before that it did not receive by watching. */
export class Propagation {
  /** The oldest first, so cursors grow. */
  private readonly points: Point[] = [];

  constructor(
    private readonly clock: Pick<Clock, "monotonicMs">,
    private readonly propagated: (ms: number) => void,
  ) {}

  /** Revocations are durable up to this entry. */
  advanced({ cursor, revoked }: LogAdvance): void {
    if (!revoked) return;
    if (this.points.length >= MAX_POINTS) this.points.shift();
    this.points.push({ cursor, atMs: this.clock.monotonicMs() });
  }

  /** An edge that said `before` with the watch before this one now says `since`. */
  passed(before: number, since: number): void {
    const nowMs = this.clock.monotonicMs();
    for (const { cursor, atMs } of this.points) {
      if (cursor > before && cursor <= since) this.propagated(nowMs - atMs);
    }
  }
}
