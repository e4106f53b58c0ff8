// The control plane's use cases over a real store, with a clock that only tests move: started anew at will, backed up and
// restored. All that is random comes from a counter, so that a run can be repeated.
import { createHash } from "node:crypto";

import { publishedPolicy } from "../../src/app/policy/published-policy.js";
import { BulkRevocations } from "../../src/app/sessions/bulk-revocations.js";
import { DroppedRows } from "../../src/app/edges/dropped-rows.js";
import { EdgeRegistry } from "../../src/app/edges/status/edge-registry.js";
import type { Random } from "../../src/app/ports/ports.js";
import type { Stores } from "../../src/app/ports/stores.js";
import { usageCommits } from "../../src/app/edges/usage.js";
import type { UsagePorts } from "../../src/app/edges/usage.js";
import { Watches } from "../../src/app/edges/watches.js";
import { deriveKeys } from "../../src/domain/keys.js";
import type { PlansOfPolicy } from "../../src/domain/plan.js";
import { makeToken } from "../../src/domain/token.js";
import { claimedWork } from "../support/claimed.js";
import { FixedClock } from "../support/fixed-clock.js";
import { ManualTimers } from "../support/manual-timers.js";
import type { LifeEngine } from "./life-engines.js";

export const KEYS = deriveKeys(Buffer.alloc(32, 1));

const nothing = (): void => undefined;
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const meter = { sessionCreated: nothing, sessionRemoved: nothing, acquired: nothing };
const usageMeter = { reported: nothing, tokensConsumed: nothing, rowDropped: nothing, swept: nothing };
const watchMeter = { watchEnded: nothing, propagated: nothing };

/** One process of the control plane, as far as sessions go. */
interface Process {
  readonly store: Stores;
  readonly ports: UsagePorts;
  readonly watches: Watches;
  readonly revocations: BulkRevocations;
}

export class SessionLife {
  readonly clock = new FixedClock();
  readonly timers = new ManualTimers(this.clock);
  private drawn = 0;
  private current: Process | undefined;

  /** @param policy answers the policy in force */
  constructor(
    private readonly policy: () => PlansOfPolicy,
    readonly engine: LifeEngine,
  ) {}

  get process(): Process {
    if (this.current === undefined) throw new Error("the control plane is down");
    return this.current;
  }

  async start(): Promise<void> {
    const random: Random = { bytes: (n) => this.bytes(n) };
    const { clock, timers } = this;
    const store = await this.engine.open(random);
    const { operator, audit, usage } = store;
    const policies = {
      current: () => ({ policy: this.policy() }),
      // Its edges are of an older filter: none is given it on its watch, and the bytes do not matter.
      published: () => {
        const named = { generation: 1, policy: this.policy(), sinceMs: 0, decidedAtMs: null };
        return publishedPolicy({ ...named, policyJson: "{}" });
      },
      subscribe: () => nothing,
      shown: nothing,
    };
    const instances = new EdgeRegistry({ clock, policies });
    const droppedRows = new DroppedRows({ clock, logger, meter: usageMeter });
    const ports: UsagePorts = {
      ...{ store, operator, audit, usage, usageMeter, instances, policies, clock, random, logger, meter },
      commits: usageCommits(store, policies, usageMeter, droppedRows),
      droppedRows,
      makeToken: (sessionId, planId) => makeToken({ sessionId, planId }, KEYS),
    };
    const watches = new Watches({
      ...{ log: store.invalidations, policies, timers, clock, meter: watchMeter, logger, instances },
    });
    const revocations = new BulkRevocations({
      ...{ store: store.revocations, updates: store, claimed: claimedWork(), isShared: false },
      ...{ clock, timers, random, logger, meter },
    });
    await revocations.start();
    this.current = { store, ports, watches, revocations };
  }

  /** Ends the process in order: held watches are answered, what is under way comes to rest. */
  async stop(): Promise<void> {
    const { store, watches, revocations } = this.process;
    await revocations.stop();
    await watches.stop();
    await store.close();
    this.current = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Answers the backup's name. */
  backUp(): Promise<string> {
    return this.engine.backUp();
  }

  async restore(backup: string): Promise<void> {
    await this.stop();
    await this.engine.restore(backup, { bytes: (n) => this.bytes(n) });
    await this.start();
  }

  async end(): Promise<void> {
    if (this.current !== undefined) await this.stop();
    await this.engine.end();
  }

  private bytes(n: number): Uint8Array {
    this.drawn += 1;
    return createHash("sha256").update(`${this.drawn}`).digest().subarray(0, n);
  }
}
