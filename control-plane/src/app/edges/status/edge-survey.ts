// Edges as a scrape shows them: some with series of their own, all of them counted by state.
import type { EdgeState } from "./edge-status.js";
import { eachSummary } from "./edge-pages.js";
import type { EdgesParts } from "./edge-pages.js";
import type { EdgeSummary } from "./edge-views.js";

/** Edges with series of their own, the first by name: each is a label that Prometheus keeps. */
const MAX_LABELLED_EDGES = 1000;
/** Instances and workers that every scrape looks at anew: a thousand Envoys with 64 workers. */
const MAX_ROWS_ANEW = 65_536;
/** Where there are more, they are looked at at most so often, whoever asks. */
const COUNTED_EACH_MS = 5_000;

export interface EdgeSurvey {
  readonly labelled: readonly EdgeSummary[];
  readonly states: ReadonlyMap<EdgeState, number>;
}

export class EdgeSurveys {
  private counted: Kept<Promise<ReadonlyMap<EdgeState, number>>> | undefined;
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
    const survey = { labelled, states: next === null ? countsOf(labelled) : await this.countsOfAll() };
    this.surveyed = looked > MAX_ROWS_ANEW ? this.kept(survey) : undefined;
    return survey;
  }

  private countsOfAll(): Promise<ReadonlyMap<EdgeState, number>> {
    if (!this.isFresh(this.counted)) this.counted = this.kept(this.count());
    return this.counted.what;
  }

  private async count(): Promise<ReadonlyMap<EdgeState, number>> {
    const states = new Map<EdgeState, number>();
    await eachSummary(this.parts, Infinity, (edge) => {
      addTo(states, edge);
    });
    return states;
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

function countsOf(edges: readonly EdgeSummary[]): Map<EdgeState, number> {
  const states = new Map<EdgeState, number>();
  for (const edge of edges) addTo(states, edge);
  return states;
}

function addTo(states: Map<EdgeState, number>, { state }: EdgeSummary): void {
  states.set(state, (states.get(state) ?? 0) + 1);
}
