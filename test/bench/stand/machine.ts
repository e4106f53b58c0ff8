// What a benchmark runs on, for whoever reads its figures.
import { cpus, loadavg } from "node:os";

/** Cores, load and Node as they are now: to be asked at the start. */
export function machineAtStart(): string {
  const load = loadavg()[0]?.toFixed(2) ?? "?";
  return `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), load ${load} at the start, Node ${process.version}`;
}
