// Metrics of leases: what became of asks, and of the tokens.
import { Counter } from "prom-client";
import type { Registry } from "prom-client";

import { MICROTOKENS_PER_TOKEN } from "../../../../assembly/contract.js";
import type { LeaseMeter } from "../../app/ports/lease-ports.js";
import { LEASE_OUTCOMES } from "../../domain/decisions/lease-tokens.js";
import type { OutcomeOfAsk } from "../../domain/decisions/lease-tokens.js";
import type { Moved } from "../../domain/leases/lease-ask.js";
import { PREFIX } from "./metrics.js";

const MOVES = ["granted", "returned", "expired", "voided", "spent"] as const satisfies readonly (keyof Moved)[];

export class LeaseMetrics implements LeaseMeter {
  private readonly asks: Counter;
  private readonly tokens: Counter;

  constructor(registry: Registry) {
    const counter = (name: string, help: string, label: string): Counter =>
      new Counter({ name: `${PREFIX}${name}`, help, labelNames: [label], registers: [registry] });
    this.asks = counter("lease_asks_total", "Asks of edges for leases, by outcome", "outcome");
    this.tokens = counter("lease_tokens_total", "Tokens of leases, by what happened to them", "what");
    for (const outcome of [...LEASE_OUTCOMES, "malformed"]) this.asks.inc({ outcome }, 0);
    for (const what of MOVES) this.tokens.inc({ what }, 0);
  }

  leased(outcome: OutcomeOfAsk, moved: Moved | undefined): void {
    this.asks.inc({ outcome });
    if (moved === undefined) return;
    for (const what of MOVES) {
      const micro = Object.values(moved[what]).reduce((sum, one) => sum + one, 0);
      if (micro > 0) this.tokens.inc({ what }, micro / MICROTOKENS_PER_TOKEN);
    }
  }

  askDropped(): void {
    this.asks.inc({ outcome: "malformed" });
  }
}
