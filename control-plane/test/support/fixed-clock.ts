// A clock that stands still until a test moves it.
import type { Clock } from "../../src/app/ports/ports.js";

export class FixedClock implements Clock {
  constructor(private ms: number = Date.UTC(2026, 0, 1)) {}

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  advance(ms: number): void {
    this.ms += ms;
  }
}
