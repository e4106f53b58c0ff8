// Statistics of the benchmark: figures of a run, ratios within a round, quartiles over the rounds. Pure.
import { quantile } from "../stand/quantile.js";

/** One run of a variant. */
export interface Run {
  readonly requests: number;
  readonly wallMs: number;
  /** CPU of the server process. */
  readonly cpuNs: number;
  /** Of each request, ms. */
  readonly latenciesMs: readonly number[];
}

export interface Quartiles {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** A variant over all rounds, beside the base of the same rounds. */
export interface Summary {
  readonly perSecond: Quartiles;
  readonly cpuUsPerRequest: Quartiles;
  /** Share of one core that the server used while it ran: near 1, it was the bottleneck. */
  readonly busy: Quartiles;
  readonly p50Ms: Quartiles;
  readonly p99Ms: Quartiles;
  /** Requests a second, as a share of the base's in the same round. */
  readonly throughputRatio: Quartiles;
  /** CPU a request, in those of the base in the same round. */
  readonly cpuRatio: Quartiles;
}

export function quartiles(values: readonly number[]): Quartiles {
  return { lower: quantile(values, 0.25), median: quantile(values, 0.5), upper: quantile(values, 0.75) };
}

/** All runs of one variant in one round, as one run: a round goes through the variants there and back. */
export function joined(runs: readonly Run[]): Run {
  const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
  return {
    requests: sum((run) => run.requests),
    wallMs: sum((run) => run.wallMs),
    cpuNs: sum((run) => run.cpuNs),
    latenciesMs: runs.flatMap((run) => run.latenciesMs),
  };
}

const perSecond = (run: Run): number => (run.requests * 1000) / run.wallMs;
const cpuUs = (run: Run): number => run.cpuNs / 1000 / run.requests;

/** @param rounds the variant's run of each round. @param bases the base's run of the same rounds, in their order */
export function summarize(rounds: readonly Run[], bases: readonly Run[]): Summary {
  const over = (of: (run: Run) => number): Quartiles => quartiles(rounds.map(of));
  const against = (of: (run: Run) => number): Quartiles =>
    quartiles(
      rounds.map((run, round) => {
        const base = bases[round];
        if (base === undefined) throw new RangeError(`round ${round} has no base`);
        return of(run) / of(base);
      }),
    );
  return {
    perSecond: over(perSecond),
    cpuUsPerRequest: over(cpuUs),
    busy: over((run) => run.cpuNs / 1e6 / run.wallMs),
    p50Ms: over((run) => quantile(run.latenciesMs, 0.5)),
    p99Ms: over((run) => quantile(run.latenciesMs, 0.99)),
    throughputRatio: against(perSecond),
    cpuRatio: against(cpuUs),
  };
}
