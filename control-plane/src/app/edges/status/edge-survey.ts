// Edges as a scrape shows them: some with series of their own, all of them counted by state.
import { setImmediate as nextTurnOfLoop } from "node:timers/promises";

import type { EdgeState } from "./edge-status.js";
import { edgesPage, eachPage } from "./edge-views.js";
import type { EdgesParts, EdgeView } from "./edge-views.js";

/** Edges with series of their own, the first by name: each is a label that Prometheus keeps. */
const MAX_LABELLED_EDGES = 1000;
/** Where there are more, they are counted at most so often, whoever asks. */
const COUNTED_EACH_MS = 5_000;

export interface EdgeSurvey {
  readonly labelled: readonly EdgeView[];
  readonly states: ReadonlyMap<EdgeState, number>;
}

export class EdgeSurveys {
  private counted: { readonly atMs: number; readonly states: Promise<ReadonlyMap<EdgeState, number>> } | undefined;

  constructor(
    private readonly parts: EdgesParts,
    private readonly nextTurn: () => Promise<unknown> = nextTurnOfLoop,
  ) {}

  /** Costs what it shows: of up to a thousand edges all, of more the first thousand and a count of some seconds ago. */
  async now(): Promise<EdgeSurvey> {
    const { edges, next } = await edgesPage(this.parts, "", MAX_LABELLED_EDGES);
    return { labelled: edges, states: next === null ? countsOf(edges) : await this.countsOfAll() };
  }

  private countsOfAll(): Promise<ReadonlyMap<EdgeState, number>> {
    const atMs = this.parts.clock.monotonicMs();
    if (this.counted === undefined || atMs - this.counted.atMs >= COUNTED_EACH_MS) {
      this.counted = { atMs, states: this.count() };
    }
    return this.counted.states;
  }

  private async count(): Promise<ReadonlyMap<EdgeState, number>> {
    const states = new Map<EdgeState, number>();
    await eachPage(this.parts, this.nextTurn, (edges) => {
      countsOf(edges, states);
    });
    return states;
  }
}

function countsOf(edges: readonly EdgeView[], states = new Map<EdgeState, number>()): Map<EdgeState, number> {
  for (const { state } of edges) states.set(state, (states.get(state) ?? 0) + 1);
  return states;
}
