// How far a copy is, in a line each second.

/** Only differences mean something; ms. */
type Now = () => number;

const EACH_MS = 1000;
const MS_PER_S = 1000;

/** Of one phase: the sessions of a store, copied or read again. */
export class Progress {
  private saidAtMs: number;
  private readonly startedAtMs: number;

  /**
   * @param what such as "copied"
   * @param before rows that an earlier run had done: they do not count for the rate
   * @param total rows there are in all
   */
  constructor(
    private readonly what: string,
    private readonly before: number,
    private readonly total: number,
    private readonly monotonicMs: Now,
    private readonly say: (line: string) => void,
  ) {
    this.startedAtMs = this.saidAtMs = monotonicMs();
  }

  /** To be called after each page, with all rows that are done. */
  at(done: number): void {
    const nowMs = this.monotonicMs();
    if (nowMs - this.saidAtMs < EACH_MS) return;
    this.saidAtMs = nowMs;
    const rate = ((done - this.before) * MS_PER_S) / (nowMs - this.startedAtMs);
    const left = rate > 0 ? `about ${Math.ceil(Math.max(0, this.total - done) / rate)} s left` : "time left unknown";
    this.say(`${this.what}: ${done} of ${this.total} sessions, ${Math.round(rate)} a second, ${left}`);
  }
}
