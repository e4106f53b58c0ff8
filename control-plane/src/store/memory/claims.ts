// Claims in a map, for tests: they lapse as a test has time pass, and `another` is one more process over the same store.
import type { Claims } from "../../app/ports/claim-ports.js";

interface Table {
  nowMs: number;
  readonly held: Map<string, { readonly by: Claims; readonly untilMs: number }>;
}

export class MemoryClaims implements Claims {
  constructor(private readonly table: Table = { nowMs: 0, held: new Map() }) {}

  take(name: string, forMs: number): Promise<boolean> {
    const { held, nowMs } = this.table;
    const claim = held.get(name);
    if (claim !== undefined && claim.by !== this && claim.untilMs > nowMs) return Promise.resolve(false);
    held.set(name, { by: this, untilMs: nowMs + forMs });
    return Promise.resolve(true);
  }

  release(name: string): Promise<void> {
    if (this.table.held.get(name)?.by === this) this.table.held.delete(name);
    return Promise.resolve();
  }

  /** What another process sees of the same claims. */
  another(): MemoryClaims {
    return new MemoryClaims(this.table);
  }

  /** For all processes. */
  pass(ms: number): void {
    this.table.nowMs += ms;
  }
}
