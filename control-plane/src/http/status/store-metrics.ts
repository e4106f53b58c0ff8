// Metrics of the store: whether it can be written, and what several control planes over it meet in.
import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

import { CLAIM_OUTCOMES, CLAIMED_KINDS } from "../../app/ports/claim-ports.js";
import type { ClaimedKind, ClaimMeter, ClaimOutcome } from "../../app/ports/claim-ports.js";
import type { StoreHealth } from "../../app/ports/store-health.js";
import type { Loads, UpdateMeter } from "../../app/ports/update-ports.js";
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

/** Who does what one control plane does at a time. */
export class ClaimMetrics implements ClaimMeter {
  private readonly rounds: Counter;

  constructor(registry: Registry) {
    this.rounds = new Counter({
      name: `${PREFIX}shared_work_total`,
      help: "Times that work of one control plane at a time was due here, by work and who did it",
      labelNames: ["work", "outcome"],
      registers: [registry],
    });
    for (const work of CLAIMED_KINDS) for (const outcome of CLAIM_OUTCOMES) this.rounds.inc({ work, outcome }, 0);
  }

  claimed(work: ClaimedKind, outcome: ClaimOutcome): void {
    this.rounds.inc({ work, outcome });
  }
}

/** All that an update may be about. */
const KINDS: Readonly<Record<keyof Loads, true>> = {
  ...{ session: true, creation: true, planChange: true, consumption: true, report: true, leases: true },
  ...{ newestSession: true, revocationChunk: true },
  ...{ byActivity: true, byCreation: true, createdAfter: true, ended: true, withDetails: true },
};

/** Of a store that several control planes share. */
export class SharedStoreMetrics implements UpdateMeter {
  private readonly isDurable: Gauge;
  private readonly lostCommits: Counter;
  private readonly conflicts: Counter;
  private readonly givenUp: Counter;

  constructor(registry: Registry) {
    const counter = (name: string, help: string): Counter =>
      new Counter({ name: `${PREFIX}${name}`, help, labelNames: ["kind"], registers: [registry] });
    this.lostCommits = new Counter({
      name: `${PREFIX}store_commits_lost_total`,
      help: "Writes that this control plane had acknowledged and that the store did not have any more, as after a failover",
      registers: [registry],
    });
    this.isDurable = new Gauge({
      name: `${PREFIX}store_durable`,
      help: "0 while a crash of the store's machine may lose acknowledged writes, or the store does not say",
      registers: [registry],
    });
    // Until the store says otherwise; a folder is durable always.
    this.durable(true);
    this.conflicts = counter("store_conflicts_total", "Updates that another control plane came before, by kind");
    this.givenUp = counter("store_given_up_total", "Updates that others came before each time: not written, by kind");
    // From the start, so that the first one is an increase.
    for (const kind of Object.keys(KINDS)) for (const one of [this.conflicts, this.givenUp]) one.inc({ kind }, 0);
  }

  conflicted(kind: keyof Loads): void {
    this.conflicts.inc({ kind });
  }

  gaveUp(kind: keyof Loads): void {
    this.givenUp.inc({ kind });
  }

  durable(isSo: boolean): void {
    this.isDurable.set(isSo ? 1 : 0);
  }

  lost(commits: number): void {
    this.lostCommits.inc(commits);
  }
}
