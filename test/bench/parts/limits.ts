// What further limits of a plan cost: all are spent in the one step that the plan's own bucket takes anyway.
import type { AddedRatio } from "./added-cpu.js";
import { compare, type Run } from "./compared.js";
import type { Part } from "../stand/part.js";
import type { Section } from "../stand/section.js";
import { BARE, ONE, PLENTY, sluiceVariant, TEN } from "../stand/variants.js";

const COUNTS = [1, 7];
const RATIOS: readonly AddedRatio[] = [
  ["limits.oneOfNone", "limits1", "sluice"],
  ["limits.sevenOfNone", "limits7", "sluice"],
  ["limits.sevenByDayOfNone", "limits7ByDay", "sluice"],
];

/** By the second: a refill needs no division. By seven days: it needs two. */
const BY_SECOND = { maxTokens: 9_000_000, tokenRefillRate: 1_000_000 };
const BY_DAYS = { maxTokens: 9_000_000, refill: "9000000/7d" };

export async function limits(part: Part): Promise<Section[]> {
  // A table of its own: sessions of one table have the limits of one policy.
  const withLimits = (name: string, what: string, count: number, rate: object): Run => {
    const further = Array.from({ length: count }, (_, index) => ({ name: `further-${index}`, ...rate }));
    const plans = [{ ...PLENTY, limits: further }, ONE, TEN];
    return {
      variant: sluiceVariant(name, what, part.filterPath, {
        table: { capacity: 8192, name: name.toLowerCase() },
        plans,
      }),
    };
  };
  const runs: Run[] = [
    { variant: BARE },
    { variant: sluiceVariant("sluice", "the plan's own bucket", part.filterPath, { table: { capacity: 8192 } }) },
    ...COUNTS.map((count) =>
      withLimits(`limits${count}`, `${count} beside it, refilled by the second`, count, BY_SECOND),
    ),
    withLimits("limits7ByDay", "7 beside it, refilled by seven days", 7, BY_DAYS),
  ];
  return compare(part, {
    name: "limits",
    title: "Several limits a session",
    method: "Lean build. Each request spends one token from every bucket.",
    runs,
    ratios: RATIOS,
  });
}
