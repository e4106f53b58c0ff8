// The metric of spans: whether they come to the collector.
import { Counter } from "prom-client";
import type { Registry } from "prom-client";

import { PREFIX } from "./metrics.js";

const OUTCOMES = ["sent", "failed", "dropped"] as const;

/** Returns how to count. Each outcome is there from the start on. */
export function spanCounter(registry: Registry): (outcome: (typeof OUTCOMES)[number], spans: number) => void {
  const counter = new Counter({
    name: `${PREFIX}spans_total`,
    help: "Spans for the collector, by what became of them: sent, failed, or dropped because too many waited",
    labelNames: ["outcome"],
    registers: [registry],
  });
  for (const outcome of OUTCOMES) counter.inc({ outcome }, 0);
  return (outcome, spans) => {
    counter.inc({ outcome }, spans);
  };
}
