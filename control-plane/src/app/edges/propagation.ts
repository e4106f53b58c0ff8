// How long revocations take to reach edges: from their commit to the watch by which an edge confirms what it was answered.
import type { LogPosition } from "../../domain/stored.js";
import { instanceKey } from "../../domain/stored.js";
import type { LogAdvance } from "../ports/log-ports.js";
import type { Clock } from "../ports/ports.js";
import type { WatchRequest } from "../ports/watch-ports.js";
import type { WatchedFrom } from "./processes/others-said.js";

/** Commits that some edge has not passed yet. Past this many the oldest are forgotten, and not measured. */
const MAX_POINTS = 1024;
/** Answers whose edges have not come back. About twice the watches that are held at a time; past it as above. */
const MAX_ANSWERS = 16_384;

interface Point extends LogPosition {
  readonly atMs: number;
}

interface Answer {
  readonly from: LogPosition;
  readonly to: LogPosition;
}

/**
 * Only what this process has answered is measured, and only where the edge comes back to it with the very position that it
 * was answered: of what the edge was answered and confirmed elsewhere, that process measures it.
 */
export class Propagation {
  /** The oldest first, so cursors of one log grow. */
  private readonly points: Point[] = [];
  /** By instance: the last answer that said something, until the instance watches again. The oldest first. */
  private readonly answers = new Map<string, Answer>();

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

  /** This process answers a watch. */
  answered({ edge, instance, log, since }: WatchRequest, { log: toLog, cursor }: LogPosition): void {
    if (log === undefined || (log === toLog && since === cursor)) return;
    const key = instanceKey({ edge, instance });
    this.answers.delete(key);
    this.answers.set(key, { from: { log, cursor: since }, to: { log: toLog, cursor } });
    if (this.answers.size <= MAX_ANSWERS) return;
    const [oldest = ""] = this.answers.keys();
    this.answers.delete(oldest);
  }

  /** An edge watches here: its table is marked up to there. */
  watched(said: WatchedFrom): void {
    const answer = this.answers.get(instanceKey(said));
    this.answers.delete(instanceKey(said));
    if (answer === undefined || said.log !== answer.to.log || said.since !== answer.to.cursor) return;
    const nowMs = this.clock.monotonicMs();
    for (const point of this.points) if (isIn(answer, point)) this.propagated(nowMs - point.atMs);
  }

  /** An edge has watched, at whichever process: when it comes back here it has not waited for that. */
  passed(said: WatchedFrom): void {
    const answer = this.answers.get(instanceKey(said));
    if (answer !== undefined && answer.to.log === said.log && answer.to.cursor <= said.since)
      this.answers.delete(instanceKey(said));
  }
}

/** Where the answer was another log the edge began anew: so it has passed all of the former, and what was before its cursor. */
function isIn({ from, to }: Answer, { log, cursor }: Point): boolean {
  const isAfter = log !== from.log || cursor > from.cursor;
  const isReached = log !== to.log || cursor <= to.cursor;
  return isAfter && isReached && (log === from.log || log === to.log);
}
