// How a control plane is run: the built program, with the variables that it needs in its environment.
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import type { ProcessPlan } from "./supervised-process.js";

/**
 * Options of node. A request that waits for a commit outlives many collections of Node's young generation, 16 MB by
 * default, and each copies it: a fifth of an acquire's CPU (docs/performance.md). The Dockerfile has the same.
 */
export const NODE_FLAGS: readonly string[] = ["--max-semi-space-size=32"];

export interface ControlPlaneRun {
  /** The installation's secret, as SLUICE_SECRET holds it. */
  secret: string;
  httpPort: number;
  statusPort: number;
  dataDir: string;
  policyFile: string;
  logFile: string;
  /** More of its environment, the admin token among it. */
  env: Readonly<Record<string, string>>;
}

export function controlPlanePlan(run: ControlPlaneRun): ProcessPlan {
  return {
    name: "The control plane",
    command: process.execPath,
    args: [...NODE_FLAGS, join(projectRoot, "build/js/control-plane/src/main.js")],
    env: {
      SLUICE_SECRET: run.secret,
      SLUICE_HTTP_PORT: String(run.httpPort),
      SLUICE_STATUS_PORT: String(run.statusPort),
      SLUICE_DATA_DIR: run.dataDir,
      SLUICE_POLICY: run.policyFile,
      ...run.env,
    },
    logFile: run.logFile,
  };
}
