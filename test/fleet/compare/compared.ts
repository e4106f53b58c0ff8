// What the comparison says: calls for the requests, what it adds to the time of an answer, and what was admitted.
import { quantile } from "../../bench/stand/quantile.js";
import type { Section } from "../../bench/stand/section.js";
import type { Figures } from "../figures/figures.js";
import type { Entry } from "../figures/ledger.js";

export interface ComparedLane {
  /** What a reader of the table learns of it. */
  readonly what: string;
  /** What its figures are named by. */
  readonly figure: string;
  readonly entries: readonly Entry[];
  readonly figures: Figures;
  /** Beyond the Envoy, to decide: all of the run. */
  readonly calls: number;
  /** Requests that waited for such a call. */
  readonly waits: number;
  readonly limited: boolean;
}

const OK = 200;
const COLUMNS = [
  ...["", "calls a 1,000 requests", "waited", "p50 ms", "added", "p99 ms", "added"],
  ...["admitted", "of at most", "over", "use"],
];

interface Times {
  readonly p50: number;
  readonly p99: number;
}

/** Of the requests that were admitted. */
export function timesOf(entries: readonly Entry[]): Times {
  const took = entries.flatMap(({ status, sentMs, answeredMs }) =>
    status === OK ? [(answeredMs ?? NaN) - sentMs] : [],
  );
  return { p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}

/** @param without what the others are compared with */
export function comparedSection(without: ComparedLane, lanes: readonly ComparedLane[]): Section {
  const base = timesOf(without.entries);
  const figures: Record<string, number> = {};
  const rows = [without, ...lanes].map((lane) => {
    const of = figuresOfLane(lane, base);
    for (const [name, value] of Object.entries(of)) figures[`${lane.figure}.${name}`] = value;
    return rowOf(lane, of);
  });
  return {
    title: "Beside a budget for each Envoy, a counter that is asked for each request, and no limiter",
    method:
      "The same Envoys, service and seconds; each lane has sessions of its own with the same demand, which the Envoys have met before. The counter is a token " +
      "bucket in Lua in the same store, called by a sidecar that Envoy's ext_authz asks over HTTP. Calls: reports and watches " +
      "are of both lanes of Sluice, and counted at each. Times: of requests that were admitted. At most: what one budget allows.",
    columns: COLUMNS,
    ...{ rows, figures },
  };
}

function figuresOfLane(
  { entries, calls, waits, figures: { sent, admitted, bound, over, use } }: ComparedLane,
  base: Times,
) {
  const { p50, p99 } = timesOf(entries);
  const requests = Math.max(sent, 1);
  return {
    ...{ requests: sent, callsPerThousand: (1000 * calls) / requests, waitedShare: waits / requests },
    ...{ p50Ms: p50, addedP50Ms: p50 - base.p50, p99Ms: p99, addedP99Ms: p99 - base.p99 },
    ...{ admitted, bound, over, use },
  };
}

function rowOf({ what, limited }: ComparedLane, of: ReturnType<typeof figuresOfLane>): string[] {
  const calls = [of.callsPerThousand.toFixed(1), percent(of.waitedShare)];
  const times = [of.p50Ms, of.addedP50Ms, of.p99Ms, of.addedP99Ms].map((ms) => ms.toFixed(2));
  const limit = limited ? [of.bound.toFixed(0), of.over.toFixed(1), percent(of.use)] : ["", "", ""];
  return [what, ...calls, ...times, String(of.admitted), ...limit];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
