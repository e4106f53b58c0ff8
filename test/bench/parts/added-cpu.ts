// The usual table: what each variant adds to the bare one.
import { differences, ratioOfAdded, ratioSpread, type Rounds, spreadOf } from "./differences.js";
import { ratio, us } from "../stand/section.js";

export const ADDED_COLUMNS = ["variant", "added µs", "quartiles", "least"];

/** One row: the median of the differences to `base` in the same round, their quartiles, and the least. */
export function addedRow(rounds: Rounds, name: string, base: string, label = name): string[] {
  const { median, lowerQuartile, upperQuartile, minimum } = spreadOf(differences(rounds, name, base));
  return [label, us(median), `${us(lowerQuartile)} … ${us(upperQuartile)}`, us(minimum)];
}

/** A ratio to tell: its name in the JSON, what is divided, and what it is divided by, taken together. */
export type AddedRatio = readonly [name: string, variant: string, ...others: string[]];

/** Ratios of what is added, as rows: the medians' ratio, and the quartiles of the rounds' own. */
export function ratioRows(rounds: Rounds, ratios: readonly AddedRatio[], base = "bare"): string[][] {
  return ratios.map(([, variant, ...others]) => {
    const { lowerQuartile, upperQuartile } = ratioSpread(rounds, variant, others, base);
    const label = `${variant} ÷ ${others.length > 1 ? `(${others.join(" + ")})` : others.join()}`;
    const value = ratio(ratioOfAdded(rounds, variant, others, base));
    return [label, value, `${ratio(lowerQuartile)} … ${ratio(upperQuartile)}`, ""];
  });
}

/** The same by name. */
export function ratiosByName(rounds: Rounds, ratios: readonly AddedRatio[], base = "bare"): Record<string, number> {
  return Object.fromEntries(
    ratios.map(([name, variant, ...others]) => [name, ratioOfAdded(rounds, variant, others, base)]),
  );
}
