// What a process holds of memory. Linux only.
import { readFileSync } from "node:fs";

/** Resident bytes, VmRSS of /proc/PID/status. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status tells no VmRSS`);
  return Number(kibibytes) * 1024;
}
