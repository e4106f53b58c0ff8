// The control plane's use cases over a real store, with a clock that only tests move: started anew at will, backed up and
// restored. All that is random comes from a counter, so that a run can be repeated.
import { createHash } from "node:crypto";

import { publishedPolicy } from "../../src/app/policy/published-policy.js";
import { BulkRevocations } from "../../src/app/sessions/bulk-revocations.js";
import { DroppedRows } from "../../src/app/edges/dropped-rows.js";
import { EdgeRegistry } from "../../src/app/edges/status/edge-registry.js";
import type { PolicyPublisher } from "../../src/app/ports/policy-ports.js";
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
import { quietLeases } from "../support/leases.js";
import { ManualTimers } from "../support/manual-timers.js";
import type { LifeEngine } from "./life-engines.js";

export const KEYS = deriveKeys(Buffer.alloc(32, 1));

const nothing = (): void => undefined;
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const meter = { sessionCreated: nothing, sessionRemoved: nothing, acquired: nothing };
const usageMeter = { reported: nothing, tokensConsumed: nothing, rowDropped: nothing, swept: nothing };
const watchMeter = { watchEnded: nothing, propagated: nothing };

type Policies = UsagePorts["policies"] & PolicyPublisher;

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
  private running: Process[] = [];
  private turns = 0;

  /** @param policy answers the policy in force */
  constructor(
    private readonly policy: () => PlansOfPolicy,
    readonly engine: LifeEngine,
  ) {}

  /** The one whose turn it is. */
  get process(): Process {
    const process = this.running[this.turns % this.engine.processes];
    if (process === undefined) throw new Error("the control plane is down");
    return process;
  }

  /** From now on it is the next one's turn, where there are several. */
  turn(): void {
    this.turns += 1;
  }

  isRunning(process: Process): boolean {
    return this.running.includes(process);
  }

  async start(): Promise<void> {
    const policies = this.policies();
    // What edges tell one of them the others know: how, other tests show.
    const instances = new EdgeRegistry({ clock: this.clock, policies });
    while (this.running.length < this.engine.processes) this.running.push(await this.startOne(policies, instances));
  }

  /** Ends all processes in order: held watches are answered, what is under way comes to rest. */
  async stop(): Promise<void> {
    for (const { store, watches, revocations } of this.running) {
      await revocations.stop();
      await watches.stop();
      await store.close();
    }
    this.running = [];
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
    await this.stop();
    await this.engine.end();
  }

  private policies(): Policies {
    return {
      current: () => ({ policy: this.policy() }),
      // Its edges are of an older filter: none is given it on its watch, and the bytes do not matter.
      published: () => {
        const named = { generation: 1, policy: this.policy(), sinceMs: 0, decidedAtMs: null };
        return publishedPolicy({ ...named, policyJson: "{}" });
      },
      subscribe: () => nothing,
      shown: nothing,
    };
  }

  private async startOne(policies: Policies, instances: EdgeRegistry): Promise<Process> {
    const random: Random = { bytes: (n) => this.bytes(n) };
    const { clock, timers } = this;
    const store = await this.engine.open(random);
    const { operator, audit, usage, claims } = store;
    const droppedRows = new DroppedRows({ clock, logger, meter: usageMeter });
    const ports: UsagePorts = {
      ...{ store, operator, audit, usage, usageMeter, instances, policies, clock, random, logger, meter },
      commits: usageCommits(store, policies, usageMeter, droppedRows),
      droppedRows,
      ...quietLeases({ updates: store, policies, clock, logger }),
      makeToken: (sessionId, planId) => makeToken({ sessionId, planId }, KEYS),
    };
    const watches = new Watches({
      ...{ log: store.invalidations, policies, timers, clock, meter: watchMeter, logger, instances },
    });
    const revocations = new BulkRevocations({
      ...{
        store: store.revocations,
        updates: store,
        claimed: claimedWork(claims, { clock }),
        isShared: this.engine.processes > 1,
      },
      ...{ clock, timers, random, logger, meter },
    });
    await revocations.start();
    return { store, ports, watches, revocations };
  }

  private bytes(n: number): Uint8Array {
    this.drawn += 1;
    return createHash("sha256").update(`${this.drawn}`).digest().subarray(0, n);
  }
}
