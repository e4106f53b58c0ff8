// What a process has of memory, as Linux counts it.
import { readFileSync } from "node:fs";

/** Of address space that V8 reserves behind each guest's memory, so that no access of the guest can leave it. */
const GUARD_BYTES = 1 << 30;
const LINE = /^([0-9a-f]+)-([0-9a-f]+) (\S+) /;

/** Resident bytes. */
export function residentBytes(pid: number): number {
  const [, kb = ""] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kb) * 1024;
}

/** Linear memory of each WebAssembly guest in the process: what is writable right before a guard. */
export function guestBytes(pid: number): number[] {
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  const regions = maps.flatMap((line) => {
    const [, from, to, access] = LINE.exec(line) ?? [];
    if (from === undefined || to === undefined) return [];
    return [{ from: parseInt(from, 16), to: parseInt(to, 16), access }];
  });
  return regions.flatMap(({ from, to, access }, i) => {
    const before = regions[i - 1];
    const isGuard = access?.startsWith("---") === true && to - from > GUARD_BYTES;
    const isGuest = isGuard && before?.to === from && before.access?.startsWith("rw") === true;
    return isGuest ? [before.to - before.from] : [];
  });
}
