// How many requests of the REST API each address, each issuer and all operators may make: a token bucket for each.
import type { Clock } from "../ports/ports.js";

export interface RequestRate {
  /** What comes back, requests a second. */
  readonly perSecond: number;
  /** The most at once. */
  readonly burst: number;
}

interface Level {
  /** Thousandths of a request: a rate a second times ms, so that whole ms stay exact. */
  readonly milli: number;
  readonly atMs: number;
}

const MILLI = 1000;
/** Past so many callers the one silent longest is forgotten, and begins anew with a full bucket. */
const MAX_CALLERS = 10_000;

export class RequestRates {
  /** In the order of their last request. Who is not here has a full bucket. */
  private readonly levels = new Map<string, Level>();

  constructor(
    private readonly clock: Pick<Clock, "monotonicMs">,
    private readonly rate: RequestRate,
  ) {}

  /** Takes one request from the caller's bucket, and answers 0; or takes nothing, and answers the ms until there is one. */
  take(caller: string): number {
    const { perSecond, burst } = this.rate;
    const atMs = this.clock.monotonicMs();
    const last = this.levels.get(caller) ?? { milli: burst * MILLI, atMs };
    const milli = Math.min(burst * MILLI, last.milli + (atMs - last.atMs) * perSecond);
    if (milli < MILLI) return Math.ceil((MILLI - milli) / perSecond);
    this.levels.delete(caller);
    this.levels.set(caller, { milli: milli - MILLI, atMs });
    const [longestSilent] = this.levels.keys();
    if (this.levels.size > MAX_CALLERS && longestSilent !== undefined) this.levels.delete(longestSilent);
    return 0;
  }
}
