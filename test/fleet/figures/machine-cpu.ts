// How busy the machine's cores are.
import { cpus } from "node:os";

/** ms of all cores since the machine began. */
export interface MachineCpu {
  readonly busy: number;
  readonly idle: number;
}

export function machineCpu(): MachineCpu {
  const times = cpus().map((core) => core.times);
  const idle = times.reduce((sum, one) => sum + one.idle, 0);
  const all = times.flatMap((one) => Object.values(one)).reduce((sum, ms) => sum + ms, 0);
  return { busy: all - idle, idle };
}

/** 0 to 1. */
export function busySince(before: MachineCpu, now = machineCpu()): number {
  const [busy, idle] = [now.busy - before.busy, now.idle - before.idle];
  return busy / Math.max(busy + idle, 1);
}
