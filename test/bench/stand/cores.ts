// Which core runs what: Envoy has one for itself, everything else shares the others.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { Failure } from "../../../scripts/failure.js";

const ENVOYS_CORE = 0;

/** As `taskset` writes lists of cores. */
export const ENVOY_CORES = String(ENVOYS_CORE);
export const ALL_CORES = `0-${availableParallelism() - 1}`;
const OTHER_CORES = `${ENVOYS_CORE + 1}-${availableParallelism() - 1}`;

/** Moves this process off Envoy's core; what it starts from now on is there too, unless said otherwise. */
export function leaveEnvoysCore(): void {
  if (availableParallelism() < 2) throw new Failure("The benchmark needs two cores: one is Envoy's alone.");
  if (!pinned(OTHER_CORES)) {
    throw new Failure("The benchmark needs taskset (package util-linux), to give Envoy a core of its own.");
  }
}

/** Moves all threads of this process to these cores. False where taskset is not there, or may not. */
export function pinned(cores: string): boolean {
  return spawnSync("taskset", ["-a", "-c", "-p", cores, String(process.pid)]).status === 0;
}
