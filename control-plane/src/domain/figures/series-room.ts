// Which series a count of an edge goes to: one of its own while there is room, else one that it shares. So there are never more than
// MAX_SERIES, whatever edges and plans there are or somebody makes up, and a sum over all of them is right.
import { OTHER } from "./counter-families.js";
import type { EdgeCounter, Family, Labels } from "./counter-families.js";

/** What Prometheus and a scrape bear easily. */
export const MAX_SERIES = 10_000;
/** Of one edge, so that one with a thousand plans leaves the others theirs; more of its plans are one. */
export const MAX_SERIES_OF_EDGE = 1_000;
/** With edge and plan while there are fewer. */
export const MAX_OWN = 8_000;
/** With the edge alone, for plans that have no room. */
const MAX_WITHOUT_PLAN = 9_000;
/** With the plan alone, for edges that have no room. What is left are a hundred that name neither: they are always there. */
const MAX_WITHOUT_EDGE = 9_500;

export interface Series {
  readonly family: Family;
  readonly labels: Labels;
}

export interface Placed extends Series {
  /** False: the edge or the plan is not named. */
  readonly isOwn: boolean;
}

interface OfEdge {
  countedAtMs: number;
  /** By name. */
  readonly counters: Map<string, EdgeCounter>;
}

export class SeriesRoom {
  /** The one that counted last is the last. */
  private readonly edges = new Map<string, OfEdge>();
  private readonly shared = new Set<string>();
  private size = 0;

  /**
   * @param keptMs the series of an edge that counted nothing for so long make room, if there is none
   * @param removed hears of each of these
   */
  constructor(
    private readonly keptMs: number,
    private readonly removed: (series: Series) => void,
  ) {}

  /** Where a count of this edge goes. `nowMs` is monotonic. */
  place(edge: string, counter: EdgeCounter, nowMs: number): Placed {
    if (this.has(edge, counter, nowMs)) return { ...seriesOf(edge, counter), isOwn: true };
    if (this.size >= MAX_OWN) this.removeGone(nowMs);
    const ofEdge = this.edges.get(edge)?.counters.size ?? 0;
    const { general } = counter;
    if (edge !== OTHER) {
      const isOneMore = counter === general || ofEdge < MAX_SERIES_OF_EDGE;
      if (isOneMore && this.size < MAX_OWN) return this.take(edge, counter, nowMs, true);
      if (this.has(edge, general, nowMs)) return { ...seriesOf(edge, general), isOwn: counter === general };
      if (this.size < MAX_WITHOUT_PLAN) return this.take(edge, general, nowMs, counter === general);
    }
    if (this.shared.has(counter.name) || this.size < MAX_WITHOUT_EDGE) return this.share(counter);
    return this.share(general);
  }

  private has(edge: string, { name }: EdgeCounter, nowMs: number): boolean {
    const of = this.edges.get(edge);
    if (of?.counters.has(name) !== true) return false;
    if (of.countedAtMs === nowMs) return true;
    of.countedAtMs = nowMs;
    this.edges.delete(edge);
    this.edges.set(edge, of);
    return true;
  }

  private take(edge: string, counter: EdgeCounter, nowMs: number, isOwn: boolean): Placed {
    const of = this.edges.get(edge) ?? { countedAtMs: nowMs, counters: new Map<string, EdgeCounter>() };
    of.counters.set(counter.name, counter);
    this.edges.set(edge, of);
    this.size += 1;
    return { ...seriesOf(edge, counter), isOwn };
  }

  private share(counter: EdgeCounter): Placed {
    if (!this.shared.has(counter.name)) {
      this.shared.add(counter.name);
      this.size += 1;
    }
    return { ...seriesOf(OTHER, counter), isOwn: false };
  }

  /** Envoys in pods have new names with each of their lives: those of before would take all the room. */
  private removeGone(nowMs: number): void {
    for (const [edge, { countedAtMs, counters }] of this.edges) {
      if (this.size < MAX_OWN || nowMs - countedAtMs < this.keptMs) return;
      this.edges.delete(edge);
      this.size -= counters.size;
      for (const counter of counters.values()) this.removed(seriesOf(edge, counter));
    }
  }
}

const seriesOf = (edge: string, { family, labels }: EdgeCounter): Series => ({ family, labels: { edge, ...labels } });
