// A clock that stands still until a test moves it.
import type { SteadyClock } from "../../src/app/ports/ports.js";

export class FixedClock implements SteadyClock {
  /** What `isSettled` answers. */
  settled = true;
  private aheadMs = 0;

  constructor(private ms: number = Date.UTC(2026, 0, 1)) {}

  nowMs(): number {
    return this.ms + this.aheadMs;
  }

  monotonicMs(): number {
    return this.ms;
  }

  elapsedMs(sinceMs: number): number {
    return Math.max(0, this.nowMs() - sinceMs);
  }

  endsNotBeforeMs(): number {
    return -Infinity;
  }

  isSettled(): boolean {
    return this.settled;
  }

  advance(ms: number): void {
    this.ms += ms;
  }

  /** The wall clock jumps: no time passes. */
  step(ms: number): void {
    this.aheadMs += ms;
  }
}
