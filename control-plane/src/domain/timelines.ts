// How long ago a stored time was, by the monotonic clock, although the wall clock that gave it jumps.

/** For as long as the wall clock did not jump it was this far ahead of the monotonic one. */
export interface Timeline {
  readonly offsetMs: number;
  /** When it ended, monotonic ms; Infinity for the present one. */
  readonly untilMs: number;
}

/** Past so many jumps the two oldest timelines become one. */
const MAX_TIMELINES = 32;

/** The last one is the present one. */
export type Timelines = readonly [Timeline, ...Timeline[]];

export const firstTimeline = (offsetMs: number): Timelines => [{ offsetMs, untilMs: Infinity }];

export const presentOffsetMs = (timelines: Timelines): number => (timelines.at(-1) ?? timelines[0]).offsetMs;

/** The present timeline with another offset: the two clocks drift apart a little all the time. */
export function drifted([first, ...others]: Timelines, offsetMs: number): Timelines {
  const present: Timeline = { offsetMs, untilMs: Infinity };
  return others.length === 0 ? [present] : [first, ...others.slice(0, -1), present];
}

/** @param atMs when the jump is taken over, monotonic */
export function jumped(timelines: Timelines, offsetMs: number, atMs: number): Timelines {
  const [first, ...others] = timelines.map((one) => (one.untilMs === Infinity ? { ...one, untilMs: atMs } : one));
  const present: Timeline = { offsetMs, untilMs: Infinity };
  if (first === undefined) return [present];
  const [second, ...rest] = others;
  if (second === undefined || timelines.length < MAX_TIMELINES) return [first, ...others, present];
  // The smaller offset makes what they gave look younger.
  return [{ ...second, offsetMs: Math.min(first.offsetMs, second.offsetMs) }, ...rest, present];
}

/**
 * ms that have passed since a time that the wall clock gave. Which timeline gave it cannot always be told, so the answer is
 * the least that it can be: nothing ends too early by it, and nothing is refilled that the edge would not have refilled.
 */
export function elapsedMs(timelines: Timelines, sinceMs: number, monotonicMs: number): number {
  const ages = timelines.map(({ offsetMs, untilMs }) => monotonicMs - Math.min(sinceMs - offsetMs, untilMs));
  return Math.max(0, Math.min(...ages));
}
