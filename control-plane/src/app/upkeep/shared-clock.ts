// The wall clock of control planes that share a store: the store's, carried on by the monotonic clock of this machine
// (docs/decisions/0078-one-clock-for-one-store.md).
import { offsetOf, withSample } from "../../domain/clock-samples.js";
import type { ClockSamples } from "../../domain/clock-samples.js";
import type { Timers } from "../ports/log-ports.js";
import type { Clock, Logger } from "../ports/ports.js";
import type { StoreTime } from "../ports/store-time.js";
import { JUMP_MS } from "./steady-clock.js";
import type { SteadyTime } from "./steady-clock.js";

const ASK_EVERY_MS = 1000;
/** The first asking of a connection is slower than the next ones. */
const ASKED_AT_START = 3;
/** Time that is set back by a little goes at half its speed until it is right again, and never back. */
const SLOWED = 0.5;
const DIFFERS_MS = 1000;
/** Lower, so that a difference about as large is not said again and again. */
const AGREES_MS = 500;

export interface StoreTimeParts {
  readonly shared: SharedClock;
  /** Over `shared`. */
  readonly steady: Pick<SteadyTime, "beginAnew">;
  readonly storeTime: StoreTime;
  readonly timers: Timers;
}

/**
 * From here on all control planes over a store have one clock, however far those of their machines are apart. Resolves
 * once it counts, or the store could not be asked: then as soon as it can. Returns how to end that.
 */
export async function followStoreTime({ shared, steady, storeTime, timers }: StoreTimeParts): Promise<() => void> {
  await shared.begin(storeTime);
  steady.beginAnew();
  return shared.follow(storeTime, timers, () => {
    steady.beginAnew();
  });
}

export interface SharedClockParts {
  readonly machine: Clock;
  readonly logger: Logger;
}

export class SharedClock implements Clock {
  private samples: ClockSamples = [];
  /** What they say: the store's wall clock is so far ahead of the monotonic one here. Undefined: there are none yet. */
  private targetMs: number | undefined;
  /** What the wall clock given here was ahead of the monotonic one. Undefined: the store has not been asked yet. */
  private given: { readonly offsetMs: number; readonly atMs: number } | undefined;
  private isSaid = false;

  constructor(private readonly parts: SharedClockParts) {}

  /** ms since the epoch: the store's time, and before the store was asked the machine's. */
  nowMs(): number {
    const nowMs = this.monotonicMs();
    const offsetMs = this.offsetMs(nowMs);
    return offsetMs === undefined ? this.parts.machine.nowMs() : Math.floor(nowMs + offsetMs);
  }

  monotonicMs(): number {
    return this.parts.machine.monotonicMs();
  }

  /** ms by which the machine's wall clock is ahead of the store's; 0 before the store was asked. */
  machineAheadMs(): number {
    const { targetMs } = this;
    return targetMs === undefined ? 0 : this.parts.machine.nowMs() - this.monotonicMs() - targetMs;
  }

  /** Resolves once the store's time counts, or the store could not be asked. */
  async begin(store: StoreTime): Promise<void> {
    for (let asked = 0; asked < ASKED_AT_START; asked++) await this.ask(store);
  }

  /**
   * Asks each second. What cannot be asked is asked again: until then time goes on by the monotonic clock. Returns how to
   * end that.
   * @param begun called once, where `begin` had no answer, at the first one
   */
  follow(store: StoreTime, timers: Timers, begun: () => void): () => void {
    let isOver = false;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = timers.after(ASK_EVERY_MS, () => void look());
    };
    const look = async (): Promise<void> => {
      const isFirst = this.given === undefined;
      await this.ask(store);
      if (isOver) return;
      if (isFirst && this.given !== undefined) begun();
      next();
    };
    next();
    return () => {
      isOver = true;
      cancel();
    };
  }

  private async ask(store: StoreTime): Promise<void> {
    const sentMs = this.monotonicMs();
    try {
      const timeMs = await store.timeMs();
      // Time that has passed until now goes by what was known.
      const receivedMs = this.monotonicMs();
      this.offsetMs(receivedMs);
      this.samples = withSample(this.samples, { timeMs, sentMs, receivedMs });
      this.targetMs = offsetOf(this.samples);
      this.offsetMs(receivedMs);
    } catch {
      // Of the store, its health says what is wrong.
      return;
    }
    this.sayDifference();
  }

  /** Ahead it follows at once, and so it does by a jump, on which others decide; back by a little it goes slowly. */
  private offsetMs(nowMs: number): number | undefined {
    const { targetMs } = this;
    if (targetMs === undefined) return undefined;
    const before = this.given;
    const backMs = before === undefined ? 0 : before.offsetMs - targetMs;
    const isSlow = before !== undefined && backMs > 0 && backMs <= JUMP_MS;
    const offsetMs = isSlow ? Math.max(targetMs, before.offsetMs - (nowMs - before.atMs) * SLOWED) : targetMs;
    this.given = { offsetMs, atMs: nowMs };
    return offsetMs;
  }

  private sayDifference(): void {
    const aheadMs = Math.round(this.machineAheadMs());
    const { logger } = this.parts;
    if (!this.isSaid && Math.abs(aheadMs) > DIFFERS_MS) {
      this.isSaid = true;
      const where = `${(Math.abs(aheadMs) / 1000).toFixed(1)} s ${aheadMs > 0 ? "ahead of" : "behind"} the store's`;
      const what = "the store's counts for all control planes; see that the machines' time is synchronised";
      logger.warn({ event: "store-clock-differs", aheadMs }, `this machine's clock is ${where}: ${what}`);
    } else if (this.isSaid && Math.abs(aheadMs) <= AGREES_MS) {
      this.isSaid = false;
      logger.info({ event: "store-clock-agrees", aheadMs }, "this machine's clock and the store's agree again");
    }
  }
}
