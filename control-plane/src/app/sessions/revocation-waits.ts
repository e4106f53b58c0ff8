// Use case: whoever revoked waits until every edge has confirmed, within bounds.
import type { LogPosition } from "../../domain/stored.js";
import type { Confirmations, Confirmed } from "../edges/confirmations.js";
import type { InvalidationLog } from "../ports/log-ports.js";
import type { Clock } from "../ports/ports.js";

/** Far more than operators and their scripts wait at a time, and too few to be felt beside the watches that are held. */
const MAX_WAITS = 64;
/** Issuers together leave the rest to operators, and each leaves some to the others. */
const WAITS = { ofIssuers: 48, ofOneIssuer: 8 };

export type ConfirmationsPort = Pick<Confirmations, "wait">;

export class RevocationWaits {
  private waiting = 0;
  private readonly ofIssuers = new Map<string, number>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly confirmations: ConfirmationsPort,
    private readonly log: Pick<InvalidationLog, "position" | "subscribe">,
    private readonly clock: Pick<Clock, "monotonicMs">,
    private readonly maxWaits = MAX_WAITS,
  ) {}

  /**
   * For all that is revoked by now. Resolves when every edge has confirmed, when the time is over, or when the caller
   * hangs up; at once where too many wait already.
   * @param issuer who waits; null: an operator
   */
  async confirmedWithin(timeoutMs: number, gone: AbortSignal, issuer: string | null): Promise<Confirmed> {
    if (timeoutMs === 0 || this.stopping.signal.aborted || !this.hasRoom(issuer)) return this.now({});
    this.count(issuer, 1);
    try {
      return await this.waitInPresentLog(timeoutMs, AbortSignal.any([gone, this.stopping.signal]));
    } finally {
      this.count(issuer, -1);
    }
  }

  /** Where the log becomes another one, all edges begin anew: whoever is past its head of then has received all before it. */
  private async waitInPresentLog(timeoutMs: number, ended: AbortSignal): Promise<Confirmed> {
    const untilMs = this.clock.monotonicMs() + timeoutMs;
    for (;;) {
      const former = new AbortController();
      const heard: { head?: LogPosition; asked?: LogPosition } = {};
      const compare = (): void => {
        if (heard.head !== undefined && heard.asked !== undefined && heard.head.log !== heard.asked.log) former.abort();
      };
      const unsubscribe = this.log.subscribe((head) => {
        heard.head = head;
        compare();
      });
      try {
        heard.asked = await this.log.position();
        // It may have become another one on the answer's way here.
        compare();
        const leftMs = untilMs - this.clock.monotonicMs();
        const signal = AbortSignal.any([ended, former.signal]);
        const status = await this.confirmations.wait(heard.asked, leftMs, signal);
        if (!former.signal.aborted) return status;
      } finally {
        unsubscribe();
      }
    }
  }

  private hasRoom(issuer: string | null): boolean {
    if (this.waiting >= this.maxWaits) return false;
    if (issuer === null) return true;
    const ofAll = [...this.ofIssuers.values()].reduce((sum, waits) => sum + waits, 0);
    return ofAll < WAITS.ofIssuers && (this.ofIssuers.get(issuer) ?? 0) < WAITS.ofOneIssuer;
  }

  private count(issuer: string | null, more: 1 | -1): void {
    this.waiting += more;
    if (issuer === null) return;
    const waits = (this.ofIssuers.get(issuer) ?? 0) + more;
    if (waits === 0) this.ofIssuers.delete(issuer);
    else this.ofIssuers.set(issuer, waits);
  }

  /**
   * How it stands now. An entry of an earlier log has been passed by each edge that follows the present one: it began anew.
   * @param last the entry that is asked about; without a cursor: all there is
   */
  async now({ log, cursor }: Partial<LogPosition>): Promise<Confirmed> {
    const head = await this.log.position();
    if (log !== undefined && log !== head.log) return this.confirmations.wait({ ...head, cursor: 0 }, 0);
    return this.confirmations.wait({ ...head, cursor: cursor ?? head.cursor }, 0);
  }

  /** Ends every wait with how it stands then, and holds none from now on. */
  stop(): void {
    this.stopping.abort();
  }
}
