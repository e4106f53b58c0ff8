// How many lines of one kind the log gets: whoever can reach the port can cause any number.
import type { Clock } from "../ports/ports.js";

const MINUTE_MS = 60_000;

export class LogLineRate {
  private minute = { startedAtMs: -Infinity, lines: 0 };
  private leftOut = 0;

  constructor(
    private readonly clock: Pick<Clock, "monotonicMs">,
    private readonly linesAMinute: number,
  ) {}

  /** Undefined: no line now. Else how many were left out since the last one. */
  take(): number | undefined {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.minute.startedAtMs >= MINUTE_MS) this.minute = { startedAtMs: nowMs, lines: 0 };
    if (this.minute.lines >= this.linesAMinute) {
      this.leftOut += 1;
      return undefined;
    }
    this.minute.lines += 1;
    const { leftOut } = this;
    this.leftOut = 0;
    return leftOut;
  }
}
