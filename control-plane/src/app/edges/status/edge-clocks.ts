// How far the clocks of edges are from the control plane's, and whose clock it is that is off. Pure
// (docs/decisions/0062-one-name-one-envoy.md).
import { WATCH_HOLD_MS } from "../../../../../assembly/contract.js";

/** What time an edge thinks it is changes nothing while the control plane answers, and misjudges ages when it does not. */
const FAR_MS = 60_000;
/** Once it is far, it is so until it is nearer than this: a clock that drifts past the bound passes it once. */
const NEAR_MS = 55_000;
/**
 * A single body may have waited somewhere. The next is sent when the hold of its watch is over, somewhat sooner where
 * there is something to say.
 */
const SURE_AFTER_MS = 0.75 * WATCH_HOLD_MS;

export interface EdgeClock {
  /** By its last watch: ahead of the control plane's above 0, behind it below. */
  readonly offsetMs: number;
  /** Each watch since then (monotonic ms) has shown it far off. Undefined: the last one did not. */
  readonly farSinceMs: number | undefined;
  /** Far off, and not by a single watch. */
  readonly isOff: boolean;
}

export function clockWith(before: EdgeClock | undefined, offsetMs: number, nowMs: number): EdgeClock {
  const farSinceMs = before?.farSinceMs;
  if (Math.abs(offsetMs) <= (farSinceMs === undefined ? FAR_MS : NEAR_MS)) {
    return { offsetMs, farSinceMs: undefined, isOff: false };
  }
  const sinceMs = farSinceMs ?? nowMs;
  return { offsetMs, farSinceMs: sinceMs, isOff: nowMs - sinceMs >= SURE_AFTER_MS };
}

/** The clocks of most edges agree with one another, and not with the control plane's. */
export interface ClockOfMost {
  /** Of theirs, as of an edge's. */
  readonly offsetMs: number;
  readonly edges: number;
  /** Not by a single watch of each. */
  readonly isSure: boolean;
}

/**
 * Then the control plane's is the one that is off, and no edge's is named. Of a single edge nobody can tell.
 * @param clocks one of each edge
 */
export function clockOfMost(clocks: readonly EdgeClock[]): ClockOfMost | null {
  const far = clocks.filter(({ farSinceMs }) => farSinceMs !== undefined);
  if (far.length < 2 || !isMost(far, clocks)) return null;
  const offsets = far.map(({ offsetMs }) => offsetMs).sort((one, other) => one - other);
  const middle = offsets[Math.floor(offsets.length / 2)] ?? 0;
  const agreeing = far.filter(({ offsetMs }) => Math.abs(offsetMs - middle) <= FAR_MS);
  if (!isMost(agreeing, clocks)) return null;
  const isSure = isMost(
    agreeing.filter(({ isOff }) => isOff),
    clocks,
  );
  return { offsetMs: middle, edges: agreeing.length, isSure };
}

const isMost = (some: readonly EdgeClock[], all: readonly EdgeClock[]): boolean => 2 * some.length > all.length;
