// Asks for leases that are dropped because they are none: counted, and named in the log one by one.
import type { Instance } from "../../domain/stored.js";
import { LogLineRate } from "../access/log-line-rate.js";
import type { LeaseMeter } from "../ports/lease-ports.js";
import type { Clock, Logger } from "../ports/ports.js";

/** Whoever has an edge's credential can send any number. */
const MAX_LINES_A_MINUTE = 20;

export interface DroppedAsksParts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
  readonly meter: Pick<LeaseMeter, "askDropped">;
}

export class DroppedAsks {
  private readonly lines: LogLineRate;

  constructor(private readonly parts: DroppedAsksParts) {
    this.lines = new LogLineRate(parts.clock, MAX_LINES_A_MINUTE);
  }

  /** @param sessionIds of each its session, where it names one */
  note({ edge, instance }: Instance, sessionIds: readonly (string | undefined)[]): void {
    for (const sessionId of sessionIds) {
      this.parts.meter.askDropped();
      const unnamed = this.lines.take();
      if (unnamed === undefined) continue;
      const fields = { event: "lease-ask-dropped", edge, instance, sessionId, unnamed };
      this.parts.logger.warn(fields, "an ask for a lease was dropped: it is not of the form in which edges send it");
    }
  }
}
