// An edge as an operator sees it: four workers run the published policy, and nothing is wrong.
import type { EdgeView } from "../../src/app/edges/status/edge-views.js";

export function currentEdge(generation: number, fields: Partial<EdgeView> = {}): EdgeView {
  return {
    edge: "gw-1",
    state: "current",
    silentWorkers: 0,
    published: generation,
    received: { generation, state: "ok" },
    violations: [],
    running: { [generation]: 4 },
    filter: null,
    table: null,
    tables: null,
    watching: true,
    lastReportAt: null,
    lag: 0,
    double: null,
    clockOffsetMs: null,
    clockOff: false,
    instances: [],
    instancesLeftOut: 0,
    ...fields,
  };
}
