// The rounds of a comparison: through its variants and back, A B C C B A, so that a drift of the machine meets all alike.
import { cpuTimeNs } from "../stand/cpu-time.js";
import { Connections } from "./http1-load.js";
import { joined, summarize } from "./samples.js";
import type { Run, Summary } from "./samples.js";
import type { Comparison, Variant } from "./variants.js";

export interface Plan {
  readonly rounds: number;
  /** Of one run. */
  readonly requests: number;
  /** Requests under way at a time. */
  readonly connections: number;
}

export interface Measured {
  readonly name: string;
  readonly summary: Summary;
}

/** The base first. */
export async function measure({ variants }: Comparison, plan: Plan): Promise<Measured[]> {
  const rounds: Run[][] = variants.map(() => []);
  const opened: Connections[] = [];
  for (const { server } of variants) opened.push(await Connections.open(server.port, plan.connections));
  try {
    const there = variants.map((_, i) => i);
    for (const i of there) await run(variants[i], opened[i], plan.requests);
    for (let round = 0; round < plan.rounds; round++) {
      const runs: Run[][] = variants.map(() => []);
      for (const i of [...there, ...there.toReversed()]) {
        runs[i]?.push(await run(variants[i], opened[i], plan.requests));
      }
      for (const i of there) rounds[i]?.push(joined(runs[i] ?? []));
    }
  } finally {
    for (const connections of opened) connections.close();
  }
  const [bases = []] = rounds;
  return variants.map(({ name }, i) => ({ name, summary: summarize(rounds[i] ?? [], bases) }));
}

async function run(variant: Variant | undefined, connections: Connections | undefined, requests: number): Promise<Run> {
  if (variant === undefined || connections === undefined) throw new RangeError("there is no such variant");
  const { server, next, status } = variant;
  const beforeNs = cpuTimeNs(server.pid);
  const { wallMs, latenciesMs } = await connections.drive({ requests, next, status });
  return { requests, wallMs, latenciesMs, cpuNs: cpuTimeNs(server.pid) - beforeNs };
}
