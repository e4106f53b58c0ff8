// Metrics of the store: whether it can be written.
import { Gauge } from "prom-client";
import type { Registry } from "prom-client";

import type { StoreHealth } from "../../app/ports/store-health.js";
import { PREFIX } from "./metrics.js";

/** Asked for at each scrape. */
export function observeStore(registry: Registry, health: Pick<StoreHealth, "unwritable">): void {
  new Gauge({
    name: `${PREFIX}store_writable`,
    help: "0 while the store cannot be written and writes are answered with 503",
    registers: [registry],
    collect() {
      this.set(health.unwritable() === undefined ? 1 : 0);
    },
  });
}
