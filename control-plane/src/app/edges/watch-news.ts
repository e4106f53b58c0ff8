// What a reading of the log says to an edge that watches from a position.
import type { LogPosition } from "../../domain/stored.js";
import type { LogReading } from "../ports/log-ports.js";
import type { WatchAnswer, Watched, WatchOutcome } from "../ports/watch-ports.js";

export const answeredBy = (answer: WatchAnswer): Watched => ({ outcome: "answered", answer });

/** The answer that says nothing: its cursor is the one that was asked about. */
export const unchangedAt = (since: LogPosition): WatchAnswer => ({ ...since, revoked: [], refresh: [] });

export const resetTo = (position: LogPosition): WatchAnswer => ({ reset: true, ...position });

/** Undefined where the reading says nothing. */
export function newsIn(reading: LogReading): { outcome: WatchOutcome; answer: WatchAnswer } | undefined {
  if (reading.kind === "outOfReach") return { outcome: "reset", answer: resetTo(reading.position) };
  if (reading.entries.length === 0) return undefined;
  const named = (wanted: "revoked" | "refresh"): string[] => [
    ...new Set(reading.entries.filter(({ kind }) => kind === wanted).map(({ sessionId }) => sessionId)),
  ];
  return { outcome: "entries", answer: { ...reading.position, revoked: named("revoked"), refresh: named("refresh") } };
}

interface Watching {
  readonly unchanged: LogPosition;
}

/** Those of one position. There are few: most edges are at the head. */
interface AtPosition<One> {
  readonly since: LogPosition;
  readonly those: One[];
}

export function byPosition<One extends Watching>(all: Iterable<One>): Iterable<AtPosition<One>> {
  const found = new Map<string, AtPosition<One>>();
  for (const one of all) {
    const { log, cursor } = one.unchanged;
    const key = `${log} ${cursor}`;
    const at = found.get(key);
    if (at === undefined) found.set(key, { since: { log, cursor }, those: [one] });
    else at.those.push(one);
  }
  return found.values();
}
