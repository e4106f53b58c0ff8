// The metric of the issuers' file: whether it says what cannot be taken.
import { Gauge } from "prom-client";
import type { Registry } from "prom-client";

import { PREFIX } from "./metrics.js";

/** Asked for at each scrape. */
export function observeIssuers(registry: Registry, issuers: { isFileRejected(): boolean }): void {
  new Gauge({
    name: `${PREFIX}issuers_file_rejected`,
    help: "1 while the issuers' file is rejected and the list before it stays",
    registers: [registry],
    collect() {
      this.set(issuers.isFileRejected() ? 1 : 0);
    },
  });
}
