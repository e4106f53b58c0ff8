// Messages that are slow on one of their ways: others, sent later, pass them.
import { PATH_REPORT } from "../../../assembly/contract.js";
import { pathOf } from "../parts/network.js";
import type { Call } from "../parts/sim-worker.js";
import type { World } from "../parts/world.js";

/** Steps of a run. A report has seconds to be answered in, and holds up those after it. */
const DELAYS = [50, 200, 800];
const DELAY_OF_REPORTS = 800;

export class Delays {
  #step = 0;
  /** Until which step, by the way that the call is on. */
  readonly #until = new WeakMap<Call, { readonly sent: boolean; readonly step: number }>();

  constructor(private readonly world: World) {}

  step(): void {
    this.#step += 1;
  }

  holds(call: Call): boolean {
    const { faultProfile } = this.world;
    if (faultProfile.held === 0) return false;
    let until = this.#until.get(call);
    if (until?.sent !== call.sent) {
      until = { sent: call.sent, step: this.#step + this.#delayOf(call) };
      this.#until.set(call, until);
    }
    return until.step > this.#step;
  }

  #delayOf(call: Call): number {
    const { random, faultProfile } = this.world;
    const isReport = pathOf(call) === PATH_REPORT;
    if (!random.chance(isReport ? faultProfile.held / 3 : faultProfile.held)) return 0;
    return isReport ? DELAY_OF_REPORTS : random.pick(DELAYS);
  }
}
