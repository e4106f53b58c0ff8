// Runs of calls, and what they come to: wall time, each call's latency, and CPU of the control planes and of the server.
import { Connections } from "../control-plane/http1-load.js";
import type { Load, LoadResult } from "../control-plane/http1-load.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import { quantile } from "../stand/quantile.js";
import type { FilledStore } from "./filled.js";
import type { Operation } from "./operations.js";
import { counted } from "./planes.js";

const CONFLICTS = "sluice_control_store_conflicts_total";

export interface Driven extends LoadResult {
  readonly planeCpuNs: number;
  readonly serverCpuNs: number;
}

export interface Run extends Driven {
  readonly requests: number;
  /** Updates that another control plane came before. */
  readonly conflicts: number;
}

/** The load over so many connections, which a store's control planes share. */
export async function driven({ planes, store }: FilledStore, load: Load, count: number): Promise<Driven> {
  const connections = await Connections.open(
    planes.map(({ port }) => port),
    count,
  );
  const { server } = store;
  const planeCpu = (): number => sum(planes.map(({ pid }) => cpuTimeNs(pid)));
  const serverCpu = (): number => (server === undefined ? 0 : cpuTimeNs(server.pid));
  try {
    const before = { plane: planeCpu(), server: serverCpu() };
    const result = await connections.drive(load);
    return { ...result, planeCpuNs: planeCpu() - before.plane, serverCpuNs: serverCpu() - before.server };
  } finally {
    connections.close();
  }
}

export async function run(operation: Operation, filled: FilledStore, isAlone: boolean): Promise<Run> {
  const conflicts = async (): Promise<number> =>
    sum(await Promise.all(filled.planes.map((one) => counted(one, CONFLICTS))));
  const requests = isAlone ? operation.alone : operation.requests;
  const before = await conflicts();
  const load = { ...operation.load(), requests };
  const result = await driven(filled, load, isAlone ? 1 : operation.connections);
  return { ...result, requests, conflicts: (await conflicts()) - before };
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
