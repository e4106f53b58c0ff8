// Entries of a report's counters that are dropped: counted, and each name of them logged once.
import type { Instance } from "../../../domain/stored.js";
import type { CounterFault, FigureMeter } from "../../ports/figure-ports.js";
import type { Logger } from "../../ports/ports.js";

/** Whoever has an edge's credential can send any name. A filter that is newer has a few. */
const MAX_LOGGED = 100;
/** Longer than any counter's. */
const MAX_LOGGED_CHARS = 128;

const WORDS: Readonly<Record<CounterFault, string>> = {
  unknown: "the filter of this version has none of this name",
  malformed: "it is not a name with [acknowledged, now], two whole numbers, of a worker that says which one it is",
};

export class DroppedCounters {
  private readonly logged = new Set<string>();

  constructor(
    private readonly parts: { readonly meter: Pick<FigureMeter, "counterDropped">; readonly logger: Logger },
  ) {}

  note({ edge, instance }: Instance, fault: CounterFault, names: readonly string[]): void {
    for (const name of names) {
      this.parts.meter.counterDropped(fault);
      const counter = name.slice(0, MAX_LOGGED_CHARS);
      if (this.logged.size >= MAX_LOGGED || this.logged.has(counter)) continue;
      this.logged.add(counter);
      const fields = { event: "report-counter-dropped", edge, instance, counter, reason: fault };
      this.parts.logger.warn(fields, `a counter of a report was dropped: ${WORDS[fault]}`);
    }
  }
}
