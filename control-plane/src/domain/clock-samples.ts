// How far another machine's wall clock is ahead of a monotonic clock here, from what it answers when it is asked.

/** One asking. `sentMs` and `receivedMs` are of the monotonic clock here, `timeMs` of the other wall clock in between. */
export interface ClockSample {
  readonly timeMs: number;
  readonly sentMs: number;
  readonly receivedMs: number;
}

/** The newest samples of one run of the other clock, in which it was not set; the oldest first. */
export type ClockSamples = readonly ClockSample[];

/** About a minute, at one a second. */
const MAX_SAMPLES = 64;
/** Two clocks that are both steered by NTP drift apart by at most 1 ms a second: what a sample says gets as much vaguer. */
const DRIFT = 0.001;
/** A clock may show whole milliseconds. */
const GRAIN_MS = 1;

interface Bounds {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** The offset was within these when the answer was on its way; it is now within them, widened by the drift since. */
function boundsOf({ timeMs, sentMs, receivedMs }: ClockSample, atMs: number): Bounds {
  const vagueMs = GRAIN_MS + Math.max(0, atMs - receivedMs) * DRIFT;
  return { leastMs: timeMs - receivedMs - vagueMs, mostMs: timeMs - sentMs + vagueMs };
}

const widthMs = ({ leastMs, mostMs }: Bounds): number => mostMs - leastMs;

function narrowest(samples: ClockSamples, atMs: number): Bounds | undefined {
  const [first, ...others] = samples.map((one) => boundsOf(one, atMs));
  if (first === undefined) return undefined;
  return others.reduce((best, one) => (widthMs(one) <= widthMs(best) ? one : best), first);
}

/**
 * With one sample more. Where it contradicts what was known, the other clock was set meanwhile, or is another one: then
 * nothing from before counts.
 */
export function withSample(samples: ClockSamples, sample: ClockSample): ClockSamples {
  const known = narrowest(samples, sample.receivedMs);
  const found = boundsOf(sample, sample.receivedMs);
  const isContradicted = known !== undefined && (found.leastMs > known.mostMs || found.mostMs < known.leastMs);
  return isContradicted ? [sample] : [...samples, sample].slice(-MAX_SAMPLES);
}

/**
 * ms, the middle of what the sample with the least round trip leaves open: all get vaguer alike, so that it stays the same
 * until the next sample. Undefined: there is no sample.
 */
export function offsetOf(samples: ClockSamples): number | undefined {
  const newest = samples.at(-1);
  const best = newest && narrowest(samples, newest.receivedMs);
  return best && (best.leastMs + best.mostMs) / 2;
}
