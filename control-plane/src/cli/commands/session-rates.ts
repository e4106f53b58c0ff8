// How fast sessions spend, from reads of the list: over a moving window of the reports' own times, which the reads cannot
// alias with.
//
// Edges report each reportInterval, so what a session has consumed grows in steps. A step stands at the time of the last
// request that it counts (the session's lastActivity) and is spread over one interval before that. The window is a whole
// number of intervals long: under a constant load it holds as many reports of each edge wherever it stands.
import type { Session } from "../client/answers.js";
import type { Listed } from "./session-pages.js";

/** The list as it was at a monotonic time. */
export interface Reading extends Listed {
  readonly atMs: number;
}

export interface SessionRate {
  readonly tokensPerSecond: number;
  readonly session: Session;
}

/** The rate is over so long, or over twice the interval where that is longer. */
const WINDOW_MS = 30_000;
const DEFAULT_INTERVAL_MS = 5000;
/** A report that is late by no more has not failed to come. */
const LATE_INTERVALS = 2;

/** By then so much was consumed, by the control plane's clock. */
interface Point {
  readonly atMs: number;
  readonly consumed: number;
}

interface History {
  /** In the order of time; between two of them it grows evenly. */
  readonly points: readonly [Point, ...Point[]];
  /** When the last growth was read, by this program's clock. */
  readonly grewAtMs: number;
}

export class SessionRates {
  private histories: ReadonlyMap<string, History> = new Map();
  /** Of ids, which are in the order of creation; lists begin with the newest. */
  private newest: string | undefined;
  private intervalMs = DEFAULT_INTERVAL_MS;

  /** The later reading of two is given later. */
  add(reading: Reading): void {
    this.intervalMs = reading.reportIntervalMs ?? DEFAULT_INTERVAL_MS;
    const { newest, histories } = this;
    this.histories = new Map(
      reading.sessions.map((session) => {
        const isNew = newest !== undefined && session.id > newest;
        const before = histories.get(session.id) ?? begun(session, isNew, reading.atMs);
        return [session.id, this.grown(before, session, reading.atMs)];
      }),
    );
    this.newest = reading.sessions[0]?.id ?? newest;
  }

  /**
   * The sessions of the reading that was added last, the fastest first; of those as fast, the one that has consumed more.
   * Of one that has not been read to grow the rate is 0.
   */
  busiest({ sessions, atMs }: Reading): SessionRate[] {
    return sessions
      .map((session) => {
        const history = this.histories.get(session.id);
        return { tokensPerSecond: history === undefined ? 0 : this.rate(history, atMs), session };
      })
      .sort((a, b) => b.tokensPerSecond - a.tokensPerSecond || b.session.tokens.consumed - a.session.tokens.consumed);
  }

  private get windowMs(): number {
    return Math.max(2, Math.round(WINDOW_MS / this.intervalMs)) * this.intervalMs;
  }

  private grown(history: History, { tokens, lastActivity }: Session, readAtMs: number): History {
    const last = lastOf(history);
    if (tokens.consumed <= last.consumed) return history;
    // What no edge spent, or an edge whose report came after a later one, moves no activity.
    const atMs = lastActivity > last.atMs ? lastActivity : last.atMs + Math.max(1, readAtMs - history.grewAtMs);
    const flatUntil = Math.max(last.atMs, atMs - this.intervalMs);
    const flat = flatUntil > last.atMs ? [{ atMs: flatUntil, consumed: last.consumed }] : [];
    const points = [...history.points, ...flat, { atMs, consumed: tokens.consumed }];
    // One before the window says what there was at its beginning.
    const first = points.findLastIndex((point) => point.atMs <= atMs - this.windowMs);
    const kept = points.slice(Math.max(0, first));
    return { points: [kept[0] ?? last, ...kept.slice(1)], grewAtMs: readAtMs };
  }

  /** To the last growth, or where reports of one have failed to come, on from there. */
  private rate(history: History, nowMs: number): number {
    const { points, grewAtMs } = history;
    const missedMs = Math.max(0, nowMs - grewAtMs - LATE_INTERVALS * this.intervalMs);
    const endMs = lastOf(history).atMs + missedMs;
    const knownMs = endMs - points[0].atMs;
    const whole = Math.floor(Math.min(knownMs, this.windowMs) / this.intervalMs) * this.intervalMs;
    const overMs = Math.max(whole, this.intervalMs);
    return ((consumedAt(points, endMs) - consumedAt(points, endMs - overMs)) / overMs) * 1000;
  }
}

/** A session that was created since the reading before began at 0; of any other, what it spent before is not known. */
function begun({ createdAt, lastActivity, tokens }: Session, isNew: boolean, readAtMs: number): History {
  const point = isNew ? { atMs: createdAt, consumed: 0 } : { atMs: lastActivity, consumed: tokens.consumed };
  return { points: [point], grewAtMs: readAtMs };
}

const lastOf = ({ points }: History): Point => points.at(-1) ?? points[0];

function consumedAt(points: History["points"], atMs: number): number {
  const after = points.findIndex((point) => point.atMs > atMs);
  if (after === -1) return (points.at(-1) ?? points[0]).consumed;
  const [from, to] = [points[after - 1], points[after]];
  if (from === undefined || to === undefined) return points[0].consumed;
  return from.consumed + ((to.consumed - from.consumed) * (atMs - from.atMs)) / (to.atMs - from.atMs);
}
