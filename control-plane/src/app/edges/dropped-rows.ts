// Rows of reports that are dropped: counted by reason, and named in the log one by one.
import { LogLineRate } from "../access/log-line-rate.js";
import type { DroppedRow } from "../../domain/decisions/reported-rows.js";
import type { Clock, Logger } from "../ports/ports.js";
import type { UsageMeter } from "../ports/usage-ports.js";

/** Whoever has an edge's credential can send any number. */
const MAX_LINES_A_MINUTE = 20;

const WORDS: Readonly<Record<DroppedRow["reason"], string>> = {
  malformed: "it is not [session id, rev, consumed, level, idleMs] as edges send it",
  limits: "only its further levels, which are not one for each name that the call gives for their tag",
  level: "no plan has such a level",
  consumed: "under no plan a session of that age can have consumed so much",
  sum: "the session's consumption would be past 2^53 - 1",
};

export interface DroppedRowsParts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
  readonly meter: Pick<UsageMeter, "rowDropped">;
}

export class DroppedRows {
  private readonly lines: LogLineRate;

  constructor(private readonly parts: DroppedRowsParts) {
    this.lines = new LogLineRate(parts.clock, MAX_LINES_A_MINUTE);
  }

  note(rows: readonly DroppedRow[]): void {
    for (const row of rows) {
      this.parts.meter.rowDropped(row.reason);
      this.name(row);
    }
  }

  private name({ edge, instance, sessionId, reason }: DroppedRow): void {
    const unnamed = this.lines.take();
    if (unnamed === undefined) return;
    const fields = { event: "report-row-dropped", edge, instance, sessionId, reason, unnamed };
    this.parts.logger.warn(fields, `a row of a report was dropped: ${WORDS[reason]}`);
  }
}
