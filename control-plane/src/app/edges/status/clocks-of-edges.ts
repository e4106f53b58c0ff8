// One clock of each edge, held against one another now and then: whether it is the control plane's that is off.
import type { Clock } from "../../ports/ports.js";
import { clockOfMost } from "./edge-clocks.js";
import type { ClockOfMost, EdgeClock } from "./edge-clocks.js";
import { clockOf } from "./registry-entry.js";
import type { Entry } from "./registry-entry.js";

/** All instances are looked at for it, whoever asks. Far below the time in which one edge's clock counts as off. */
const LOOKED_AT_EACH_MS = 2_000;

export class ClocksOfEdges {
  private kept: { readonly atMs: number; readonly most: ClockOfMost | null } | undefined;

  /** @param entries the one with the latest contact is the last */
  constructor(
    private readonly clock: Pick<Clock, "monotonicMs">,
    private readonly entries: () => Iterable<Entry>,
  ) {}

  /** Null: they agree with the control plane's, or not with one another. */
  most(): ClockOfMost | null {
    const nowMs = this.clock.monotonicMs();
    if (this.kept === undefined || nowMs - this.kept.atMs >= LOOKED_AT_EACH_MS) {
      this.kept = { atMs: nowMs, most: clockOfMost(this.clocks(nowMs)) };
    }
    return this.kept.most;
  }

  private clocks(nowMs: number): EdgeClock[] {
    const byEdge = new Map<string, EdgeClock>();
    for (const entry of this.entries()) {
      const clock = clockOf(entry, nowMs);
      if (clock !== undefined) byEdge.set(entry.of.edge, clock);
    }
    return [...byEdge.values()];
  }
}
