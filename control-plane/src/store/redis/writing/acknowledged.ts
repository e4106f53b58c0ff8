// Which commits this process has acknowledged, by the log of each: what another log began without is lost.
import type { StoreLife } from "../connection/store-name.js";

export class Acknowledged {
  /** By log: the highest number of a commit. */
  private readonly highest = new Map<string, number>();

  /** @param number as the store counts its commits @param log as its reply has it */
  note(log: string, number: number): void {
    this.highest.set(log, Math.max(number, this.highest.get(log) ?? 0));
  }

  /**
   * Of the log that stands now: how many at least are not in it. Each is counted once. What was acknowledged under this very
   * log is in it, however often a connection is made anew.
   */
  lostIn({ log, commitsBefore }: Pick<StoreLife, "log" | "commitsBefore">): number {
    const before = [...this.highest].filter(([of]) => of !== log);
    for (const [of] of before) this.highest.delete(of);
    return Math.max(0, ...before.map(([, number]) => number - commitsBefore));
  }
}
