// What the wall clock did, as Prometheus reads it.
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

import { PREFIX } from "./metrics.js";

export interface ObservedClock {
  /** How often the wall clock jumped, by direction. */
  readonly jumps: Readonly<Record<string, number>>;
  /** By how much it is ahead of the time that counts; 0 unless a jump waits. */
  waitingJumpMs(): number;
}

export function observeClock(registry: Registry, clock: ObservedClock): void {
  new Counter({
    name: `${PREFIX}clock_jumps_total`,
    help: "How often the wall clock jumped, by direction",
    labelNames: ["direction"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [direction, count] of Object.entries(clock.jumps)) this.inc({ direction }, count);
    },
  });
  new Gauge({
    name: `${PREFIX}clock_waiting_jump_seconds`,
    help: "By how much the wall clock is ahead of the time that counts; 0 unless a jump waits for its grace",
    registers: [registry],
    collect() {
      this.set(clock.waitingJumpMs() / 1000);
    },
  });
}

/** Where several control planes share the store. */
export function observeStoreClock(registry: Registry, clock: { machineAheadMs(): number }): void {
  new Gauge({
    name: `${PREFIX}store_clock_offset_seconds`,
    help: "By how much this machine's wall clock is ahead of the store's, by which all control planes go",
    registers: [registry],
    collect() {
      this.set(clock.machineAheadMs() / 1000);
    },
  });
}
