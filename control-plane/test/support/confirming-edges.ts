// Edges that confirm when a test says so, and waits that end when it moves the clock.
import type { LogPosition } from "../../src/domain/stored.js";
import type { Confirmed } from "../../src/app/edges/confirmations.js";
import type { Timers } from "../../src/app/ports/log-ports.js";
import type { ConfirmationsPort } from "../../src/app/sessions/revocation-waits.js";

export class ConfirmingEdges implements ConfirmationsPort {
  /** Name to the cursor up to which its table is marked. */
  private readonly cursors = new Map<string, number>();
  private readonly waits = new Set<() => void>();

  constructor(private readonly timers: Timers) {}

  /** The edge says that its table is marked up to here. */
  says(edge: string, cursor: number): void {
    this.cursors.set(edge, cursor);
    for (const look of [...this.waits]) look();
  }

  /** Waits that are held now. */
  get waiting(): number {
    return this.waits.size;
  }

  status({ cursor }: Pick<LogPosition, "cursor">): Confirmed {
    const pending = [...this.cursors].filter(([, at]) => at < cursor).map(([edge]) => edge);
    return { edges: this.cursors.size, confirmed: this.cursors.size - pending.length, pending };
  }

  wait(position: LogPosition, timeoutMs: number, signal?: AbortSignal): Promise<Confirmed> {
    if (timeoutMs <= 0) return Promise.resolve(this.status(position));
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.waits.delete(look);
        resolve(this.status(position));
      };
      const look = (): void => {
        if (this.status(position).pending.length === 0) end();
      };
      const cancel = this.timers.after(timeoutMs, end);
      this.waits.add(look);
      signal?.addEventListener("abort", end);
      look();
    });
  }
}
