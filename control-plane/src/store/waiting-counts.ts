// How many updates have not ended: past a bound the next one is turned away, and memory stays bounded.
import { StoreUnwritable } from "../app/ports/store-health.js";

export interface WaitingBounds {
  readonly inAll: number;
  readonly aLane: number;
}

/**
 * In all: about a second of work; past it the store is too slow for what is asked of it, and callers are better told so.
 * A lane: so that one session that everybody asks for does not take the place of all others.
 */
const BOUNDS: WaitingBounds = { inAll: 4096, aLane: 512 };

export class WaitingCounts {
  private inAll = 0;
  private readonly byLane = new Map<string, number>();

  constructor(private readonly bounds = BOUNDS) {}

  /** @throws StoreUnwritable where too many are here; then it counts nothing */
  enter(lanes: readonly string[]): void {
    const isFull = (lane: string): boolean => (this.byLane.get(lane) ?? 0) >= this.bounds.aLane;
    if (this.inAll >= this.bounds.inAll || lanes.some(isFull)) {
      throw new StoreUnwritable("too many writes wait for the store");
    }
    this.count(lanes, 1);
  }

  leave(lanes: readonly string[]): void {
    this.count(lanes, -1);
  }

  private count(lanes: readonly string[], more: 1 | -1): void {
    this.inAll += more;
    for (const lane of lanes) {
      const here = (this.byLane.get(lane) ?? 0) + more;
      if (here === 0) this.byLane.delete(lane);
      else this.byLane.set(lane, here);
    }
  }
}
