// The arithmetic of a comparison side by side: what a variant adds to the bare one, round by round.
import { quantile } from "../stand/quantile.js";

/** Nanoseconds of CPU a request, by variant; the rounds of all variants are of the same length. */
export type Rounds = Readonly<Record<string, readonly number[]>>;

export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly minimum: number;
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error("there is no value to tell the spread of");
  const at = (share: number): number => quantile(values, share);
  return { median: at(0.5), lowerQuartile: at(0.25), upperQuartile: at(0.75), minimum: at(0) };
}

/** What the variant used more than the base did in the same round. */
export function differences(rounds: Rounds, variant: string, base: string): number[] {
  const bases = roundsOf(rounds, base);
  const values = roundsOf(rounds, variant);
  if (values.length !== bases.length) {
    throw new Error(`${variant} has ${values.length} rounds and ${base} has ${bases.length}`);
  }
  return values.map((value, round) => value - (bases[round] ?? NaN));
}

/** Added CPU of some variants, taken together, in the median of the rounds. */
export function addedNs(rounds: Rounds, variants: readonly string[], base: string): number {
  return variants.reduce((sum, variant) => sum + spreadOf(differences(rounds, variant, base)).median, 0);
}

/**
 * How many times as much a variant adds to the base as others do together: (variant − base) ÷ Σ (other − base), each
 * difference the median of the rounds.
 */
export function ratioOfAdded(rounds: Rounds, variant: string, others: readonly string[], base: string): number {
  return addedNs(rounds, [variant], base) / addedNs(rounds, others, base);
}

/** The same round by round: how far the ratio can be trusted. */
export function ratioSpread(rounds: Rounds, variant: string, others: readonly string[], base: string): Spread {
  const dividends = differences(rounds, variant, base);
  const divisors = others.map((other) => differences(rounds, other, base));
  return spreadOf(dividends.map((value, i) => value / divisors.reduce((sum, one) => sum + (one[i] ?? NaN), 0)));
}

function roundsOf(rounds: Rounds, variant: string): readonly number[] {
  const values = rounds[variant];
  if (values === undefined) throw new Error(`there is no round of ${variant}`);
  return values;
}
