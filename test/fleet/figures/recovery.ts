// When a run with a fault may end: only then does it show what a fault leads to.
import type { Entry } from "./ledger.js";

/** After all sessions were admitted again: what was given twice would be spent here. */
const WATCHED_MS = 2000;
/** From the end of the fault. */
const PATIENCE_MS = 30_000;

export class Recovery {
  private faultOverMs: number | undefined;
  private backMs: number | undefined;

  constructor(private readonly sessions: number) {}

  /** Each session has been admitted something that was sent after the fault was over. */
  get isBack(): boolean {
    return this.backMs !== undefined;
  }

  /** What was broken works again. */
  faultOver(nowMs: number): void {
    this.faultOverMs = nowMs;
  }

  /** @param entries of the run so far, as they were sent */
  mayEnd(entries: readonly Entry[], nowMs: number): boolean {
    if (this.faultOverMs === undefined) return false;
    if (this.backMs === undefined && this.isEachAdmitted(entries, this.faultOverMs)) this.backMs = nowMs;
    if (this.backMs !== undefined) return nowMs - this.backMs >= WATCHED_MS;
    return nowMs - this.faultOverMs >= PATIENCE_MS;
  }

  private isEachAdmitted(entries: readonly Entry[], sinceMs: number): boolean {
    const admitted = new Set<number>();
    for (let at = entries.length - 1; admitted.size < this.sessions; at--) {
      const entry = entries[at];
      if (entry === undefined || entry.sentMs < sinceMs) return false;
      if (entry.servedMs !== undefined) admitted.add(entry.session);
    }
    return true;
  }
}
