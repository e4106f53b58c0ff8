// The rows of the dashboard, in the order in which an operator asks.
import type { RowPlan } from "./plan.js";
import { CALLS_OF_EDGES } from "./rows/calls.js";
import { EDGES } from "./rows/edges.js";
import { LEASES } from "./rows/leases.js";
import { LIMITS } from "./rows/limits.js";
import { OVERVIEW } from "./rows/overview.js";
import { PROCESS } from "./rows/process.js";
import { STORE } from "./rows/store.js";
import { TABLE } from "./rows/table.js";
import { TRAFFIC } from "./rows/traffic.js";

export const ROWS: readonly RowPlan[] = [
  OVERVIEW,
  TRAFFIC,
  LIMITS,
  TABLE,
  EDGES,
  CALLS_OF_EDGES,
  STORE,
  LEASES,
  PROCESS,
];
