// How much of a log goes for its age: entries are in the order in which they became true, whatever their stamps say.

/** At most so many entries that are stamped ahead of the clock are looked past in one step. */
const MAX_LOOKED_AT = 10_000;

export interface AgedEntry {
  readonly atMs: number;
  /** It goes whatever its age. */
  readonly isSurplus: boolean;
}

export interface AgeLimits {
  /** What is older goes. */
  readonly notBeforeMs: number;
  readonly nowMs: number;
}

/**
 * How many of the oldest entries go, at most `limit`. An entry that a clock ahead of this one has stamped is at least as
 * old as each entry after it: by itself it would keep all of those until its own time has come.
 */
export function entriesToTrim(oldest: Iterable<AgedEntry>, { notBeforeMs, nowMs }: AgeLimits, limit: number): number {
  let going = 0;
  let lookedAt = 0;
  for (const { atMs, isSurplus } of oldest) {
    lookedAt += 1;
    if (isSurplus || atMs < notBeforeMs) going = lookedAt;
    else if (atMs <= nowMs) break;
    if (going >= limit || lookedAt >= MAX_LOOKED_AT) break;
  }
  return Math.min(going, limit);
}
