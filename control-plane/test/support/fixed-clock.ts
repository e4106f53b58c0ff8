// A clock that stands still until a test moves it.
import type { FleetNow } from "../../src/app/ports/lease-ports.js";
import type { FleetMoment } from "../../src/domain/leases/store-life.js";
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

/** The time by which leases are decided: that of a test's clock, from 0 on. */
export class FixedFleetClock implements FleetNow {
  private seenMs = 0;
  private readonly startMs: number;

  /** @param log the store's */
  constructor(
    private readonly clock: Pick<FixedClock, "monotonicMs">,
    private readonly log: string,
  ) {
    this.startMs = clock.monotonicMs();
  }

  now(): FleetMoment {
    const ms = Math.max(this.seenMs, Math.floor(this.clock.monotonicMs() - this.startMs));
    return { log: this.log, ms, by: "one", leads: new Map() };
  }

  learn(): void {
    // There is no other one.
  }

  see(_log: string, atMs: number): void {
    this.seenMs = Math.max(this.seenMs, atMs);
  }
}
