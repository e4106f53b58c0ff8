// Runs of calls, and what they come to: wall time, each call's latency, and CPU of the control planes and of the server.
import { Connections } from "../control-plane/http1-load.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import { quantile } from "../stand/quantile.js";
import type { Operation } from "./operations.js";
import { counted } from "./planes.js";
import type { Plane } from "./planes.js";

const CONFLICTS = "sluice_control_store_conflicts_total";

export interface Run {
  readonly requests: number;
  readonly wallMs: number;
  readonly latenciesMs: readonly number[];
  readonly planeCpuNs: number;
  readonly serverCpuNs: number;
  /** Updates that another control plane came before. */
  readonly conflicts: number;
}

/** What calls are sent to. */
export interface Served {
  readonly planes: readonly Plane[];
  readonly serverPid: number | undefined;
}

export async function run(operation: Operation, { planes, serverPid }: Served, isAlone: boolean): Promise<Run> {
  const requests = isAlone ? operation.alone : operation.requests;
  const connections = await Connections.open(
    planes.map(({ port }) => port),
    isAlone ? 1 : operation.connections,
  );
  const planeCpu = (): number => sum(planes.map(({ pid }) => cpuTimeNs(pid)));
  const serverCpu = (): number => (serverPid === undefined ? 0 : cpuTimeNs(serverPid));
  const conflicts = async (): Promise<number> => sum(await Promise.all(planes.map((one) => counted(one, CONFLICTS))));
  try {
    const before = { conflicts: await conflicts(), plane: planeCpu(), server: serverCpu() };
    const { wallMs, latenciesMs } = await connections.drive({ ...operation.load(), requests });
    return {
      ...{ requests, wallMs, latenciesMs },
      planeCpuNs: planeCpu() - before.plane,
      serverCpuNs: serverCpu() - before.server,
      conflicts: (await conflicts()) - before.conflicts,
    };
  } finally {
    connections.close();
  }
}

/** Medians over the runs. */
export interface Summary {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly planeCpuUs: number;
  readonly serverCpuUs: number;
  /** A thousand calls. */
  readonly conflicts: number;
}

export function summaryOf(runs: readonly Run[]): Summary {
  const median = (of: (run: Run) => number): number => quantile(runs.map(of), 0.5);
  return {
    perSecond: median(({ requests, wallMs }) => (requests * 1000) / wallMs),
    p50Ms: median(({ latenciesMs }) => quantile(latenciesMs, 0.5)),
    p99Ms: median(({ latenciesMs }) => quantile(latenciesMs, 0.99)),
    planeCpuUs: median(({ requests, planeCpuNs }) => planeCpuNs / 1000 / requests),
    serverCpuUs: median(({ requests, serverCpuNs }) => serverCpuNs / 1000 / requests),
    conflicts: median(({ requests, conflicts }) => (conflicts * 1000) / requests),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
