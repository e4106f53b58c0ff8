// Over-admission in whatever window: the most that was admitted in any span of time beyond what one bucket may admit in it.
import type { Decision } from "../../e2e/harness/decision-times.js";

export interface Bucket {
  /** Tokens. */
  readonly max: number;
  /** Tokens a second. */
  readonly perSecond: number;
}

/** A span of time, and the decisions that were surely made within it. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** Tokens, one a decision. */
  readonly admitted: number;
  /** `max` and what was refilled meanwhile. */
  readonly bound: number;
}

/** Edges and control planes count time in whole milliseconds: a span can look that much longer to them than it was. */
export const CLOCK_STEP_MS = 1;
const MS_PER_S = 1000;

export const boundOf = ({ max, perSecond }: Bucket, elapsedMs: number): number =>
  max + (perSecond * (elapsedMs + CLOCK_STEP_MS)) / MS_PER_S;

/** Tokens beyond the bound; 0 where it holds. */
export const overOf = ({ admitted, bound }: Window): number => Math.max(0, admitted - bound);

/**
 * The window in which most was admitted beyond its bound, or least below it; undefined without decisions. A decision counts
 * in a window that begins with its sending or earlier and ends with its answer or later: wherever between the two it was
 * made, it lies within. So what is beyond the bound is certain.
 *
 * The worst window begins with a sending and ends with an answer. By their answers, one after the other: with each decision,
 * every window that begins at its sending or earlier has one more. `beginnings` keeps, for each sending, what the window from
 * there to the present answer has, plus what is refilled from the first sending to there: the largest is the worst.
 */
export function worstWindow(decisions: readonly Decision[], bucket: Bucket): Window | undefined {
  const bySending = decisions.toSorted((one, other) => one.sentMs - other.sentMs);
  const byAnswer = [...bySending.keys()].sort((a, b) => answeredMs(bySending, a) - answeredMs(bySending, b));
  const originMs = sentMs(bySending, 0);
  const refilled = (ms: number): number => (bucket.perSecond * (ms - originMs)) / MS_PER_S;
  const beginnings = new Beginnings(bySending.length);
  let worst = { excess: -Infinity, from: 0, to: 0 };
  for (const at of byAnswer) {
    beginnings.add(at);
    beginnings.begin(at, refilled(sentMs(bySending, at)));
    const excess = beginnings.largest - refilled(answeredMs(bySending, at));
    if (excess > worst.excess) worst = { excess, from: beginnings.largestAt(), to: at };
  }
  if (byAnswer.length === 0) return undefined;
  const [fromMs, toMs] = [sentMs(bySending, worst.from), answeredMs(bySending, worst.to)];
  const admitted = bySending.filter((one) => one.sentMs >= fromMs && one.answeredMs <= toMs).length;
  return { fromMs, toMs, admitted, bound: boundOf(bucket, toMs - fromMs) };
}

const sentMs = (decisions: readonly Decision[], at: number): number => decisions[at]?.sentMs ?? NaN;
const answeredMs = (decisions: readonly Decision[], at: number): number => decisions[at]?.answeredMs ?? NaN;

/** Figures of beginnings 0 to n - 1: a tree, where a node holds the largest below it and what all below it have in common. */
class Beginnings {
  private readonly leaves: number;
  private readonly most: Float64Array;
  private readonly common: Float64Array;

  constructor(count: number) {
    this.leaves = 2 ** Math.ceil(Math.log2(Math.max(count, 1)));
    this.most = new Float64Array(2 * this.leaves).fill(-Infinity);
    this.common = new Float64Array(2 * this.leaves);
  }

  /** Of those that have begun. */
  get largest(): number {
    return this.value(1);
  }

  largestAt(): number {
    let node = 1;
    while (node < this.leaves) node = this.value(2 * node) >= this.value(2 * node + 1) ? 2 * node : 2 * node + 1;
    return node - this.leaves;
  }

  /** One more for each of 0 to `last`. */
  add(last: number): void {
    let node = this.leaves + last;
    this.raise(node);
    for (; node > 1; node >>= 1) {
      // A right child's sibling stands before it as a whole.
      if (node % 2 === 1) this.raise(node - 1);
      this.update(node >> 1);
    }
  }

  /** It counts from now on, with what it has been given and this. */
  begin(at: number, base: number): void {
    let node = this.leaves + at;
    this.most[node] = base + (this.common[node] ?? 0);
    for (node >>= 1; node >= 1; node >>= 1) this.update(node);
  }

  private raise(node: number): void {
    this.common[node] = (this.common[node] ?? 0) + 1;
    this.most[node] = this.value(node) + 1;
  }

  private update(node: number): void {
    this.most[node] = Math.max(this.value(2 * node), this.value(2 * node + 1)) + (this.common[node] ?? 0);
  }

  private value(node: number): number {
    return this.most[node] ?? -Infinity;
  }
}
