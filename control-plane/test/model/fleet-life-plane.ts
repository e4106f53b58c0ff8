// A control plane of a fleet's life: real decisions over a real store, with a fleet clock of its own.
import { randomBytes } from "node:crypto";

import { DroppedRows } from "../../src/app/edges/dropped-rows.js";
import { leasePorts } from "../../src/app/edges/lease-commits.js";
import { EdgeRegistry } from "../../src/app/edges/status/edge-registry.js";
import { usageCommits } from "../../src/app/edges/usage.js";
import type { UsagePorts } from "../../src/app/edges/usage.js";
import type { FleetTime } from "../../src/app/ports/fleet-time.js";
import type { Stores } from "../../src/app/ports/stores.js";
import { FleetClock } from "../../src/app/upkeep/fleet-clock.js";
import type { FixedClock } from "../support/fixed-clock.js";
import type { ManualTimers } from "../support/manual-timers.js";
import type { PoliciesInForce } from "../support/policies-in-force.js";
import { quiet } from "../support/quiet-logger.js";

const nothing = (): void => undefined;
const meter = { sessionCreated: nothing, sessionRemoved: nothing, acquired: nothing };
const usageMeter = { reported: nothing, tokensConsumed: nothing, rowDropped: nothing, swept: nothing };
/** What all have in common. */
interface Shared {
  readonly clock: FixedClock;
  readonly policies: PoliciesInForce;
  readonly timers: ManualTimers;
  readonly isShared: boolean;
}

/** One control plane, as far as leases go. */
export class FleetPlane {
  /** It cannot tell the store its time, nor ask for it. */
  isCutOff = false;
  readonly calls: Promise<unknown>[] = [];
  readonly fleetClock: FleetClock;
  ports: UsagePorts;

  constructor(
    private theStore: Stores,
    private readonly life: Shared,
    name: string,
  ) {
    this.fleetClock = new FleetClock({ machine: life.clock, isShared: life.isShared, name });
    this.ports = this.over(theStore);
  }

  get store(): Stores {
    return this.theStore;
  }

  set store(store: Stores) {
    this.theStore = store;
    this.ports = this.over(store);
  }

  async begin(): Promise<void> {
    await this.fleetClock.begin(this.time);
    this.fleetClock.follow(this.time, this.life.timers);
  }

  private readonly time: FleetTime = {
    read: () => this.asked((time) => time.read()),
    raise: (to) => this.asked((time) => time.raise(to)),
  };

  private asked<Answer>(ask: (time: FleetTime) => Promise<Answer>): Promise<Answer> {
    const asked = this.isCutOff ? Promise.reject(new Error("cut off")) : ask(this.theStore.fleetTime);
    this.calls.push(asked.catch(nothing));
    return asked;
  }

  private over(store: Stores): UsagePorts {
    const { clock, policies } = this.life;
    const droppedRows = new DroppedRows({ clock, logger: quiet, meter: usageMeter });
    const { fleetClock } = this;
    const leaseMeter = { leased: nothing, askDropped: nothing };
    return {
      ...{
        store,
        operator: store.operator,
        audit: store.audit,
        usage: store.usage,
        usageMeter,
        policies,
        clock,
        meter,
      },
      ...{ logger: quiet, random: { bytes: (n) => randomBytes(n) }, droppedRows },
      instances: new EdgeRegistry({ clock, policies, workerReported: nothing }),
      commits: usageCommits(store, policies, usageMeter, droppedRows),
      ...leasePorts({ updates: store, policies, clock, fleetClock, meter: leaseMeter, logger: quiet }),
      makeToken: (sessionId) => sessionId,
    };
  }
}
