// A control plane of the comparison: the process as it is shipped, over one of the stores.
import { join } from "node:path";

import { controlPlanePlan } from "../../../scripts/start/control-plane-process.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { waitForStatus } from "../../../scripts/start/readiness.js";
import { Part } from "../../e2e/harness/part.js";
import type { Bench } from "./bench.js";

const READY_TIMEOUT_MS = 60_000;
/** The API's rate is taken like any request's, and never reached. */
const UNREACHED_RATE = "1000000";

export interface Plane {
  readonly pid: number;
  readonly port: number;
  readonly statusPort: number;
  stop(): Promise<void>;
}

/** Ready when it resolves. `env` says where its store is. */
export async function startPlane(
  { folder, policyFile, secret, adminToken, flags, atEnd }: Bench,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Plane> {
  const [httpPort = 0, statusPort = 0] = await freePorts(2);
  const limits = { SLUICE_API_RATE: UNREACHED_RATE, SLUICE_API_BURST: UNREACHED_RATE };
  const plan = controlPlanePlan({
    ...{ secret, httpPort, statusPort, policyFile },
    dataDir: join(folder, name),
    logFile: join(folder, `${name}.log`),
    env: { SLUICE_ADMIN_TOKEN: adminToken, ...limits },
  });
  // Where the store is shared there is no folder.
  const planned = { ...plan.env, SLUICE_DATA_DIR: undefined };
  const part = new Part(
    {
      ...{ ...plan, name, cwd: folder, args: [...flags, ...plan.args] },
      env: { PATH: process.env.PATH, ...planned, ...env },
    },
    (signal) => waitForStatus(`http://127.0.0.1:${statusPort}/readyz`, 200, { timeoutMs: READY_TIMEOUT_MS, signal }),
  );
  atEnd(() => part.stop());
  await part.start();
  return {
    port: httpPort,
    statusPort,
    pid: part.pid,
    stop: async () => {
      await part.stop();
    },
  };
}

/** Of /metrics: the sum of a counter's samples. */
export async function counted({ statusPort }: Plane, counter: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${statusPort}/metrics`)).text();
  const samples = text.split("\n").filter((line) => line.startsWith(counter));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
