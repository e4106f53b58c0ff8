// The metric of the log: it says on /metrics what the log itself cannot say.
import { Counter } from "prom-client";
import type { Registry } from "prom-client";

import { PREFIX } from "./metrics.js";

export const LOST_LINES = `${PREFIX}log_lines_lost_total`;

/** Asked for at each scrape. */
export function observeLog(registry: Registry, lost: () => number): void {
  new Counter({
    name: LOST_LINES,
    help: "Lines of the log that could not be written",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(lost());
    },
  });
}
