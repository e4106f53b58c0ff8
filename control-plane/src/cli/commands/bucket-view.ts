// How a session's buckets are shown: at each edge its plan's own, and below it those of further limits.
import type { Bucket } from "../client/answers.js";
import { timeText } from "../terminal/output.js";
import type { Column, Output } from "../terminal/output.js";

interface Shown {
  readonly edge: string;
  readonly name: string;
  readonly tokens: number;
  readonly capacity: number;
  readonly refillRate: number;
  readonly lastRefill: number | null;
}

const COLUMNS: readonly Column<Shown>[] = [
  { title: "EDGE", shrinks: true, of: ({ edge }) => edge },
  { title: "LIMIT", of: ({ name }) => name },
  { title: "TOKENS", right: true, of: ({ tokens }) => tokens.toFixed(1) },
  { title: "CAPACITY", right: true, of: ({ capacity }) => capacity },
  { title: "REFILL/S", right: true, of: ({ refillRate }) => shortRate(refillRate) },
  { title: "LAST REFILL", spare: true, of: ({ lastRefill }) => timeText(lastRefill) },
];

/** Whole tokens stay as they are: only what lies behind the point is rounded. */
export const shortRate = (rate: number): number => Number(rate < 1 ? rate.toPrecision(4) : rate.toFixed(3));

export function showBuckets(buckets: readonly Bucket[], output: Output): void {
  if (buckets.length === 0) output.line("No edge has reported the session yet: its buckets are full everywhere");
  else output.table(COLUMNS, buckets.flatMap(limitsOf));
}

/** An older control plane names no limits: each edge has the plan's bucket alone. */
const limitsOf = ({ edge, name = "-", limits = [], ...own }: Bucket): readonly Shown[] => [
  { edge, name, ...own },
  ...limits.map((limit) => ({ edge, ...limit })),
];
