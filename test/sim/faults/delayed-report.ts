// A report that is under way for so long that an older backup is restored before it arrives. Its figures of sessions that
// the edge has evicted and asked about again are then higher than the edge's own.
import { PATH_REPORT } from "../../../assembly/contract.js";
import type { FaultInjector } from "./fault-injector.js";
import { pathOf } from "../parts/network.js";
import type { SimEdge } from "../parts/sim-edge.js";
import type { Call } from "../parts/sim-worker.js";
import type { World } from "../parts/world.js";

/** Fewer are hardly evicted meanwhile. */
const LEAST_ROWS = 3;
const MOST_STEPS = 1000;

interface Late {
  readonly edge: SimEdge;
  readonly call: Call;
  readonly rows: readonly (readonly [sessionId: string, rev: number])[];
  steps: number;
  isOvertaken: boolean;
}

export class DelayedReport {
  #late: Late | undefined;

  constructor(
    private readonly world: World,
    private readonly faultInjector: FaultInjector,
  ) {}

  holds(call: Call): boolean {
    return this.#late?.call === call;
  }

  /** Before a call is sent. True: it is delayed from now on. */
  begins(edge: SimEdge, call: Call): boolean {
    if (call.sent || this.#late !== undefined || pathOf(call) !== PATH_REPORT) return false;
    const rows = (call.json as { usage: [string, number][] }).usage;
    if (rows.length < LEAST_ROWS || !this.world.random.chance(this.world.faultProfile.delayedReport)) return false;
    this.#late = { edge, call, rows, steps: MOST_STEPS, isOvertaken: false };
    this.faultInjector.backUp();
    return true;
  }

  step(): void {
    const late = this.#late;
    if (late === undefined) return;
    late.steps -= 1;
    if (late.steps === 0 || late.call.callout.state !== "pending") this.#late = undefined;
    else if (!this.world.random.chance(0.2)) return;
    else if (late.isOvertaken) this.#arrive(late);
    else if (late.rows.some(([id]) => !late.edge.life.records.has(id))) {
      late.isOvertaken = true;
      this.faultInjector.restore();
    }
  }

  #arrive({ edge, rows }: Late): void {
    const isAhead = rows.some(([id, rev]) => (edge.life.records.get(id)?.rev ?? Infinity) < rev);
    if (isAhead) this.#late = undefined;
  }
}
