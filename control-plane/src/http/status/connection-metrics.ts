// Metrics of connections: how many there are, and how many gave way at a bound.
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

import { DROP_REASONS } from "../connection-bounds.js";
import type { Connections, DropReason } from "../connection-bounds.js";
import { PREFIX } from "./metrics.js";

/** Returns how to count a drop. */
export function connectionMetrics(
  registry: Registry,
  counts: () => ReturnType<Connections["counts"]>,
): (reason: DropReason) => void {
  new Gauge({
    name: `${PREFIX}connections`,
    help: "Open connections, by whether a request on them has shown an accepted credential",
    labelNames: ["authenticated"],
    registers: [registry],
    collect() {
      const { authenticated, unauthenticated } = counts();
      this.set({ authenticated: "yes" }, authenticated);
      this.set({ authenticated: "no" }, unauthenticated);
    },
  });
  const drops = new Counter({
    name: `${PREFIX}connections_dropped_total`,
    help: "Connections without a credential that were closed at a bound, by which one",
    labelNames: ["reason"],
    registers: [registry],
  });
  for (const reason of DROP_REASONS) drops.inc({ reason }, 0);
  return (reason) => {
    drops.inc({ reason });
  };
}
