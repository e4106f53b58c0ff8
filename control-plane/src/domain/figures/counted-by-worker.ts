// What reports add to counters: each count of a worker once, however often it is said. A report says of a counter what the last
// answered report said, and what it is now; this remembers the highest that was counted of each. So, within one process:
//
// - what is added for a counter are intervals that begin where everything counted before ends, so nothing is counted twice: not in a
//   report that comes again after its answer was lost, and not in one that comes late;
// - an interval is left out only up to what an answer acknowledged, and who answered has counted it.
//
// Of several processes, one after the other or side by side, each counts what it answered. Only a report that was counted and whose
// answer was lost is counted by another one too, if it comes there next.

/** Numbers are whole, and acknowledged is not above now. */
export interface SaidOfCounter {
  readonly name: string;
  readonly acknowledged: number;
  readonly now: number;
}

/** Of all workers together, some 50 bytes each: a fleet of 1,000 Envoys with two workers and 100 plans has fewer. */
export const MAX_COUNTED = 1_000_000;
/** A worker itself takes the room of so many counters. */
const WORKER_ROOM = 10;

interface Counted {
  reportedAtMs: number;
  /** By counter, the highest that was counted. */
  readonly highest: Map<string, number>;
}

/** Memory only, and bounded: the workers that reported longest ago are forgotten first. */
export class CountedByWorker {
  /** The one that reported last is the last. */
  private readonly workers = new Map<string, Counted>();
  private size = 0;

  /** @param keptMs a worker that reports nothing for so long is forgotten: its next report counts from what was acknowledged */
  constructor(
    private readonly keptMs: number,
    private readonly maxCounted = MAX_COUNTED,
  ) {}

  /**
   * By how much each counter grows, in their order.
   * @param worker names one life of a VM
   * @param nowMs monotonic
   */
  growth(worker: string, said: readonly SaidOfCounter[], nowMs: number): number[] {
    if (said.length === 0) return [];
    const { highest } = this.heard(worker, nowMs);
    const before = highest.size;
    const growth = said.map(({ name, acknowledged, now }) => {
      const counted = highest.get(name) ?? 0;
      if (now >= counted) highest.set(name, now);
      return Math.max(0, now - Math.max(acknowledged, counted));
    });
    this.size += highest.size - before;
    this.forget(nowMs);
    return growth;
  }

  /** How many workers are remembered. */
  get workersKnown(): number {
    return this.workers.size;
  }

  private heard(worker: string, nowMs: number): Counted {
    const known = this.workers.get(worker);
    if (known === undefined) this.size += WORKER_ROOM;
    const counted = known ?? { reportedAtMs: nowMs, highest: new Map<string, number>() };
    counted.reportedAtMs = nowMs;
    this.workers.delete(worker);
    this.workers.set(worker, counted);
    return counted;
  }

  private forget(nowMs: number): void {
    for (const [worker, { reportedAtMs, highest }] of this.workers) {
      if (nowMs - reportedAtMs < this.keptMs && this.size <= this.maxCounted) return;
      this.workers.delete(worker);
      this.size -= WORKER_ROOM + highest.size;
    }
  }
}
