// Levels of a session's further limits at an instance, by name: what is kept of them from report to report.

/** Microtokens at `atMs`; below 0 it owes. */
export interface LevelAt {
  readonly levelMicro: number;
  /** When the last request was admitted there, ms since the epoch. */
  readonly atMs: number;
}

/** By the limit's name, whether the policy has the limit now or had it once. */
export type LimitLevels = Readonly<Record<string, LevelAt>>;

/** A plan has at most 7 at a time: enough for the names that it had before, and no edge makes a row larger. */
export const MAX_KEPT_LIMITS = 16;

/** As an own property only: an edge chooses the names, and every object has a `constructor`. */
export const levelNamed = (limits: LimitLevels | undefined, name: string): LevelAt | undefined =>
  limits !== undefined && Object.hasOwn(limits, name) ? limits[name] : undefined;

/**
 * What is kept once `newer` was reported. A name that it lacks stays as it was: its limit was taken out of the policy, and
 * may come back. Past the bound the oldest of those go.
 */
export function keptLimits(known: LimitLevels | undefined, newer: LimitLevels | undefined): LimitLevels | undefined {
  if (known === undefined || newer === undefined) return newer ?? known;
  const news = Object.entries(newer);
  const others = Object.entries(known)
    .filter(([name]) => !Object.hasOwn(newer, name))
    .sort(([name, one], [otherName, other]) => other.atMs - one.atMs || (name < otherName ? -1 : 1));
  return Object.fromEntries([...news, ...others.slice(0, Math.max(0, MAX_KEPT_LIMITS - news.length))]);
}
