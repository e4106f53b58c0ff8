// The usual table: what each variant adds to the bare one.
import { differences, ratioOfAdded, ratioSpread, type Rounds, spreadOf } from "./differences.js";
import { ratio, us } from "./section.js";

export const ADDED_COLUMNS = ["variant", "added µs", "quartiles", "least"];

/** One row: the median of the differences to `base` in the same round, their quartiles, and the least. */
export function addedRow(rounds: Rounds, name: string, base: string, label = name): string[] {
  const { median, lowerQuartile, upperQuartile, minimum } = spreadOf(differences(rounds, name, base));
  return [label, us(median), `${us(lowerQuartile)} … ${us(upperQuartile)}`, us(minimum)];
}

/** A ratio of what is added, as a row: the medians' ratio, and the quartiles of the rounds' own. */
export function ratioRow(
  label: string,
  rounds: Rounds,
  variant: string,
  others: readonly string[],
  base: string,
): string[] {
  const { lowerQuartile, upperQuartile } = ratioSpread(rounds, variant, others, base);
  const value = ratio(ratioOfAdded(rounds, variant, others, base));
  return [label, value, `${ratio(lowerQuartile)} … ${ratio(upperQuartile)}`, ""];
}
