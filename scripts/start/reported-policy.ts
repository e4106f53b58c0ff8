// Whether an edge has told the control plane which policy it runs: then the two reach each other, in both directions.

interface Worker {
  readonly generation: number | null;
  readonly lastReportAt: number;
}

interface Edge {
  readonly edge: string;
  readonly state: string;
  readonly published: number | null;
  readonly instances: readonly { readonly workers: readonly Worker[] }[];
}

/**
 * @param edges the answer to GET /v1/edges
 * @param sinceMs reports before that are of an earlier life of the edge
 */
export function hasReported(edges: string, name: string, sinceMs: number): boolean {
  const { edges: all } = JSON.parse(edges) as { edges: readonly Edge[] };
  const edge = all.find((one) => one.edge === name);
  if (edge === undefined) return false;
  const reports = edge.instances
    .flatMap(({ workers }) => workers)
    .filter(({ lastReportAt }) => lastReportAt >= sinceMs);
  // By settings of its own it may run their policy for good.
  const runs = (generation: number | null): boolean => edge.state === "notFollowing" || generation === edge.published;
  return reports.some(({ generation }) => runs(generation));
}
