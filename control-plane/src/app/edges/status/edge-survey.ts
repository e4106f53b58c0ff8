// Edges as a scrape shows them: some with series of their own, all of them counted.
import type { EdgeState } from "./edge-status.js";
import type { ClockOfMost } from "./edge-clocks.js";
import { eachSummary, sureClockOfMost } from "./edge-pages.js";
import type { EdgesParts } from "./edge-pages.js";
import type { EdgeSummary } from "./edge-views.js";

/** Edges with series of their own, the first by name: each is a label that Prometheus keeps. */
const MAX_LABELLED_EDGES = 1000;
/** Instances and workers that every scrape looks at anew: a thousand Envoys with 64 workers. */
const MAX_ROWS_ANEW = 65_536;
/** Where there are more, they are looked at at most so often, whoever asks. */
const COUNTED_EACH_MS = 5_000;

/** Of all edges. */
export interface EdgeCounts {
  readonly states: ReadonlyMap<EdgeState, number>;
  /** Of which two Envoys go by one name. */
  readonly double: number;
  readonly clockOff: number;
  /** None of their instances watches: they receive no revocations. */
  readonly notWatching: number;
}

export interface EdgeSurvey extends EdgeCounts {
  readonly labelled: readonly EdgeSummary[];
  readonly clockOfMost: ClockOfMost | null;
}

export class EdgeSurveys {
  private counted: Kept<Promise<EdgeCounts>> | undefined;
  private surveyed: Kept<EdgeSurvey> | undefined;

  constructor(private readonly parts: EdgesParts) {}

  /** Costs what it shows: of up to a thousand edges all, of more the first thousand and a count of some seconds ago. */
  async now(): Promise<EdgeSurvey> {
    if (this.isFresh(this.surveyed)) return this.surveyed.what;
    const labelled: EdgeSummary[] = [];
    let looked = 0;
    const next = await eachSummary(this.parts, MAX_LABELLED_EDGES, (edge, rows) => {
      labelled.push(edge);
      looked += rows;
    });
    const counts = next === null ? countsOf(labelled) : await this.countsOfAll();
    const survey = { labelled, ...counts, clockOfMost: sureClockOfMost(this.parts) };
    this.surveyed = looked > MAX_ROWS_ANEW ? this.kept(survey) : undefined;
    return survey;
  }

  private countsOfAll(): Promise<EdgeCounts> {
    if (!this.isFresh(this.counted)) this.counted = this.kept(this.count());
    return this.counted.what;
  }

  private async count(): Promise<EdgeCounts> {
    const counts = noCounts();
    await eachSummary(this.parts, Infinity, (edge) => {
      addTo(counts, edge);
    });
    return counts;
  }

  private kept<What>(what: What): Kept<What> {
    return { atMs: this.parts.clock.monotonicMs(), what };
  }

  private isFresh<What>(kept: Kept<What> | undefined): kept is Kept<What> {
    return kept !== undefined && this.parts.clock.monotonicMs() - kept.atMs < COUNTED_EACH_MS;
  }
}

interface Kept<What> {
  readonly atMs: number;
  readonly what: What;
}

interface Counting extends EdgeCounts {
  readonly states: Map<EdgeState, number>;
  double: number;
  clockOff: number;
  notWatching: number;
}

const noCounts = (): Counting => ({ states: new Map(), double: 0, clockOff: 0, notWatching: 0 });

function countsOf(edges: readonly EdgeSummary[]): EdgeCounts {
  const counts = noCounts();
  for (const edge of edges) addTo(counts, edge);
  return counts;
}

function addTo(counts: Counting, { state, double, clockOff, watching }: EdgeSummary): void {
  counts.states.set(state, (counts.states.get(state) ?? 0) + 1);
  if (double !== null) counts.double += 1;
  if (clockOff) counts.clockOff += 1;
  if (!watching) counts.notWatching += 1;
}
