// One operation at a time, each with a deadline: one that hangs costs one thread, however often others are asked for.
import type { Timers } from "../app/ports/log-ports.js";

/** Node has four threads for files, names and the store's commits: a file system that hangs must not take them all. */
export class Turns {
  private readonly waiting: (() => void)[] = [];
  private running: Promise<unknown> | undefined;
  /** What runs is past its deadline: whatever else is asked for would wait in vain. */
  private hangs = false;

  constructor(
    private readonly timers: Timers,
    private readonly deadlineMs: number,
  ) {}

  /**
   * Rejects at the deadline, whether the operation has begun or not. One that had begun goes on, and as long as it does
   * nothing else is begun: it is rejected at once.
   */
  take<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (this.hangs) return Promise.reject(this.noAnswer());
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        this.running = operation()
          .then(resolve, reject)
          .finally(() => {
            cancel();
            this.running = undefined;
            this.hangs = false;
            this.waiting.shift()?.();
          });
      };
      const cancel = this.timers.after(this.deadlineMs, () => {
        const at = this.waiting.indexOf(begin);
        if (at >= 0) this.waiting.splice(at, 1);
        else this.hangs = true;
        reject(this.noAnswer());
      });
      if (this.running === undefined) begin();
      else this.waiting.push(begin);
    });
  }

  private noAnswer(): Error {
    return new Error(`no answer within ${this.deadlineMs / 1000} s`);
  }

  /** Resolves with whether nothing runs any more, `withinMs` from now at the latest. What waits is not begun. */
  async end(withinMs: number): Promise<boolean> {
    this.waiting.length = 0;
    const { running } = this;
    if (running === undefined) return true;
    return new Promise((resolve) => {
      const cancel = this.timers.after(withinMs, () => {
        resolve(false);
      });
      void running.finally(() => {
        cancel();
        resolve(true);
      });
    });
  }
}
