// Metrics of connections, by listener: how many there are, and how many gave way at a bound.
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

import { DROP_REASONS } from "../connection-bounds.js";
import type { Connections, DropReason, ListenerName } from "../connection-bounds.js";
import { PREFIX } from "./metrics.js";

type Counts = () => ReturnType<Connections["counts"]>;

export class ConnectionCounts {
  private readonly listeners = new Map<ListenerName, Counts>();
  private readonly drops: Counter;

  constructor(registry: Registry) {
    const { listeners } = this;
    new Gauge({
      name: `${PREFIX}connections`,
      help: "Open connections, by listener and by whether a request on them has shown an accepted credential",
      labelNames: ["listener", "authenticated"],
      registers: [registry],
      collect() {
        for (const [listener, counts] of listeners) {
          const { authenticated, unauthenticated } = counts();
          this.set({ listener, authenticated: "yes" }, authenticated);
          this.set({ listener, authenticated: "no" }, unauthenticated);
        }
      },
    });
    this.drops = new Counter({
      name: `${PREFIX}connections_dropped_total`,
      help: "Connections that were closed at a bound, by listener and by which bound",
      labelNames: ["listener", "reason"],
      registers: [registry],
    });
  }

  /** Counts those of a listener from now on. Returns how to count a drop. */
  of(listener: ListenerName, counts: Counts): (reason: DropReason) => void {
    this.listeners.set(listener, counts);
    for (const reason of DROP_REASONS) this.drops.inc({ listener, reason }, 0);
    return (reason) => {
      this.drops.inc({ listener, reason });
    };
  }
}
