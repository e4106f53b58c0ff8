// The two clocks of a host. They stand still until a test moves them, and each can be moved alone.

const NANOS_PER_MS = 1_000_000n;

export class Clock {
  /** WASI's monotonic clock. Starts well above 0 so that an age can be subtracted from it. */
  monotonicNanos = 3_600_000_000_000n;
  /** Nanoseconds since the epoch: 2025-06-01T00:00:00Z. */
  wallNanos = 1_748_736_000_000_000_000n;

  /** Lets time pass on both clocks. */
  advanceMs(ms: number): void {
    this.advanceMicros(ms * 1000);
  }

  advanceMicros(micros: number): void {
    const nanos = BigInt(micros) * 1000n;
    this.monotonicNanos += nanos;
    this.wallNanos += nanos;
  }

  /** Someone sets the machine's clock: the wall clock jumps, the monotonic one does not notice. */
  jumpWallMs(ms: number): void {
    this.wallNanos += BigInt(ms) * NANOS_PER_MS;
  }

  get wallMs(): number {
    return Number(this.wallNanos / NANOS_PER_MS);
  }
}
