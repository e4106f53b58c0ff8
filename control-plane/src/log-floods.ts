// A flood of one event in the log: its first lines are written, the others are counted and told in one line.
import type { Timers } from "./app/ports/log-ports.js";

const WINDOW_MS = 10_000;
/** Of one event in a window. As many edges as can lose the control plane at once and still be read by name. */
const LINES = 100;
/** Each is somebody's act, and the only line about it. Their number is bounded by the rates of the API. */
const ACTS: ReadonlySet<string> = new Set(["audit", "session-created"]);

/** @param lines of this event that were left out during the last `seconds` */
export type TellFlood = (of: string, lines: number, seconds: number) => void;

export class LogFloods {
  private lines = new Map<string, number>();
  private cancel: (() => void) | undefined;
  tell: TellFlood = () => undefined;

  constructor(private readonly timers: Timers) {}

  /** Whether a line of this event is to be written. Events are named in the sources, so there are few. */
  take(event: string): boolean {
    if (ACTS.has(event)) return true;
    this.cancel ??= this.timers.after(WINDOW_MS, () => {
      this.end();
    });
    const lines = (this.lines.get(event) ?? 0) + 1;
    this.lines.set(event, lines);
    return lines <= LINES;
  }

  /** Tells what was left out so far. Also to be called before the process ends. */
  end(): void {
    const { lines } = this;
    this.lines = new Map();
    this.cancel?.();
    this.cancel = undefined;
    for (const [event, count] of lines) if (count > LINES) this.tell(event, count - LINES, WINDOW_MS / 1000);
  }
}
