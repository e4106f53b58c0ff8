// CPU time that a process has used, to the nanosecond. Linux only.
import { readdirSync, readFileSync } from "node:fs";

/**
 * Nanoseconds on a CPU of all threads that live now: the first figure of /proc/PID/task/TID/schedstat
 * (Documentation/scheduler/sched-stats.rst of the kernel).
 */
export function cpuTimeNs(pid: number): number {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    total += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0]);
  }
  return total;
}
