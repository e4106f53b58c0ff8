// The fleet clock as the store of the tests keeps it.
import type { FleetReading, FleetTime } from "../../app/ports/fleet-time.js";
import { wholeMs } from "../whole-ms.js";

export class MemoryFleetTime implements FleetTime {
  /** 0: nobody has raised it. */
  ms = 0;

  constructor(private readonly log: () => string) {}

  read(): Promise<FleetReading> {
    return Promise.resolve({ log: this.log(), ms: this.ms });
  }

  // Async: what is no time is rejected, and does not throw.
  // eslint-disable-next-line @typescript-eslint/require-await
  async raise({ log, ms: toMs }: FleetReading): Promise<FleetReading> {
    const ms = wholeMs(toMs);
    if (log === this.log()) this.ms = Math.max(this.ms, ms);
    return { log: this.log(), ms: this.ms };
  }
}
