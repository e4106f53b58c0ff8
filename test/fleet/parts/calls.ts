// The calls of the Envoys to the control planes, and what waited for them, as their filters count it.
import { setTimeout as delay } from "node:timers/promises";

import { Counted } from "../figures/counted.js";
import type { Calls } from "../figures/lines.js";
import type { FleetEnvoy } from "./envoys.js";

const CALLS = /^sluice_calls_total\{.*call="(\w+)"/;
const LEASE = "lease";
const WAITS = "sluice_lease_waits_total";
/** One that is stopped or gone is asked again next time. */
const PATIENCE_MS = 400;

export class CallCounts {
  private readonly lease = new Counted();
  private readonly all = new Counted();
  private readonly waits = new Counted();

  constructor(private readonly envoys: readonly FleetEnvoy[]) {}

  /** Up to now. */
  async read(): Promise<Calls> {
    await Promise.all(this.envoys.map((envoy) => this.readOne(envoy)));
    return { lease: this.lease.total, all: this.all.total, waits: this.waits.total };
  }

  private async readOne({ name, admin }: FleetEnvoy): Promise<void> {
    const none = new Map<string, number>();
    const samples = await Promise.race([admin.samples().catch(() => none), delay(PATIENCE_MS, none)]);
    for (const [sample, value] of samples) {
      if (sample.startsWith(WAITS)) this.waits.saw(`${name} ${sample}`, value);
      const call = CALLS.exec(sample)?.[1];
      if (call === undefined) continue;
      this.all.saw(`${name} ${sample}`, value);
      if (call === LEASE) this.lease.saw(`${name} ${sample}`, value);
    }
  }
}
