// The time of a simulation, ms from its beginning, with the timers of the control plane.
import type { Timers } from "../../../control-plane/src/app/ports/log-ports.js";
import type { SteadyClock } from "../../../control-plane/src/app/ports/ports.js";
import { Clock } from "../../host/harness/host/clock.js";

/** The wall clock's at the beginning. */
export const START_MS = Number(new Clock().wallNanos / 1_000_000n);
const MONOTONIC_START_MS = Number(new Clock().monotonicNanos / 1_000_000n);

/** When it was in the simulation that an edge's monotonic clock said so. */
export function msOfMonotonic(us: bigint): number {
  return Number(us / 1000n) - MONOTONIC_START_MS;
}

export class SimTime implements Timers {
  nowMs = 0;
  #timers: { readonly atMs: number; readonly call: () => void }[] = [];

  /** It never jumps. */
  readonly planeClock: SteadyClock = {
    nowMs: () => START_MS + this.nowMs,
    monotonicMs: () => this.nowMs,
    elapsedMs: (sinceMs) => Math.max(0, START_MS + this.nowMs - sinceMs),
    endsNotBeforeMs: () => -Infinity,
    isSettled: () => true,
  };

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
    for (const { call } of due) call();
  }

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, call };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** The process whose timers they are has died. */
  dropTimers(): void {
    this.#timers = [];
  }
}

/** Lets all that follows from a step without time or I/O happen. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
