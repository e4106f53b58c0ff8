// One direction of a connection through a proxy of the tests.
import type { Socket } from "node:net";

export interface Passing {
  /** What comes is lost. */
  readonly drops: boolean;
  /** What comes is kept, and the sender's buffers fill. */
  readonly stalled: boolean;
  readonly delayMs: number;
}

/** Bytes, or the end of them, and when they are to be passed on: as of `performance.now()`. */
interface Underway {
  readonly bytes: Buffer | "end";
  readonly due: number;
}

/** Of bytes that wait here; past it the sender waits. */
const MAX_UNDERWAY_BYTES = 1_000_000;

export class Direction {
  /** Called for all that comes, before it is passed on or lost. */
  onBytes: () => void = () => undefined;
  private passing: Passing = { drops: false, stalled: false, delayMs: 0 };
  private readonly underway: Underway[] = [];
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {
    from.on("data", (bytes: Buffer) => {
      this.take(bytes);
    });
    from.on("end", () => {
      this.take("end");
    });
    to.on("drain", () => {
      this.pass();
    });
  }

  follow(passing: Passing): void {
    this.passing = passing;
    if (passing.drops) this.underway.length = 0;
    this.pass();
  }

  /** Passes on nothing any more. */
  end(): void {
    this.ended = true;
    this.underway.length = 0;
    clearTimeout(this.timer);
  }

  private take(bytes: Underway["bytes"]): void {
    this.onBytes();
    if (this.ended || this.passing.drops) return;
    this.underway.push({ bytes, due: performance.now() + this.passing.delayMs });
    this.pass();
  }

  private pass(): void {
    clearTimeout(this.timer);
    while (!this.passing.stalled && !this.to.writableNeedDrain) {
      const [next] = this.underway;
      if (next === undefined) break;
      const waitMs = next.due - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => {
          this.pass();
        }, Math.ceil(waitMs));
        break;
      }
      this.underway.shift();
      if (next.bytes === "end") this.to.end();
      else this.to.write(next.bytes);
    }
    this.keepSenderWaiting();
  }

  private keepSenderWaiting(): void {
    const waiting = this.underway.reduce((sum, { bytes }) => sum + (bytes === "end" ? 0 : bytes.length), 0);
    if (waiting > MAX_UNDERWAY_BYTES) this.from.pause();
    else this.from.resume();
  }
}
