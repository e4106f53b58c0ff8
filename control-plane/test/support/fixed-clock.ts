// A clock that stands still until a test moves it.
import type { SteadyClock } from "../../src/app/ports/ports.js";

export class FixedClock implements SteadyClock {
  constructor(private ms: number = Date.UTC(2026, 0, 1)) {}

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  elapsedMs(sinceMs: number): number {
    return Math.max(0, this.ms - sinceMs);
  }

  isSettled(): boolean {
    return true;
  }

  advance(ms: number): void {
    this.ms += ms;
  }
}
