// Timers that fire when a test moves the clock, and never by themselves.
import type { Timers } from "../../src/app/ports/log-ports.js";
import type { FixedClock } from "./fixed-clock.js";

interface Due {
  readonly atMs: number;
  readonly call: () => void;
}

export class ManualTimers implements Timers {
  private readonly waiting = new Set<Due>();

  constructor(private readonly clock: FixedClock) {}

  after(ms: number, call: () => void): () => void {
    const due = { atMs: this.clock.monotonicMs() + ms, call };
    this.waiting.add(due);
    return () => this.waiting.delete(due);
  }

  /** How many have neither fired nor been cancelled. */
  get pending(): number {
    return this.waiting.size;
  }

  /** Moves the clock, and fires what is due by then, the earliest first. */
  advance(ms: number): void {
    this.clock.advance(ms);
    const due = [...this.waiting].filter(({ atMs }) => atMs <= this.clock.monotonicMs());
    for (const one of due.sort((a, b) => a.atMs - b.atMs)) if (this.waiting.delete(one)) one.call();
  }
}
