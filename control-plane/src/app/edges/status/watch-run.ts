// For how long an instance has watched without a longer break, and from which addresses. Pure.

/**
 * A break in its watches that is no longer belongs to them: a network that failed for a moment, a control plane that was
 * restarted. And for so long what was seen of two instances that watch side by side counts once one of them has stopped.
 */
export const BREAK_MS = 60_000;
/** One has several where it leaves by several networks; of more than these the latest count. */
export const MAX_ADDRESSES = 4;

/** Times are monotonic ms. */
export interface WatchRun {
  readonly sinceMs: number;
  /** Those that it was last seen at; empty: not known. */
  readonly addresses: readonly string[];
}

/**
 * The run that a watch of now belongs to.
 * @param untilMs when it was last seen to watch, before
 */
export function runWith(
  before: WatchRun | undefined,
  untilMs: number,
  address: string | undefined,
  nowMs: number,
): WatchRun {
  const run = before !== undefined && nowMs - untilMs <= BREAK_MS ? before : { sinceMs: nowMs, addresses: [] };
  if (address === undefined || run.addresses.at(-1) === address) return run;
  const others = run.addresses.filter((one) => one !== address);
  return { ...run, addresses: [...others, address].slice(-MAX_ADDRESSES) };
}
