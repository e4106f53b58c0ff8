// The store of a single control plane: LMDB in a folder, safe against a kill at any moment.
import { setImmediate as nextTurn } from "node:timers/promises";

import type { LogPosition } from "../../domain/stored.js";
import type { Timers } from "../../app/ports/log-ports.js";
import { ALL_CLAIMS } from "../../app/ports/claim-ports.js";
import type { AuditStore } from "../../app/ports/audit-ports.js";
import type { EdgeStatusStore } from "../../app/ports/edge-status-ports.js";
import type { FleetTime } from "../../app/ports/fleet-time.js";
import type { OperatorStore } from "../../app/ports/operator-ports.js";
import type { PolicyStore, Random } from "../../app/ports/ports.js";
import type { BulkRevocationStore } from "../../app/ports/revocation-ports.js";
import type { StoreHealth } from "../../app/ports/store-health.js";
import type { Stores } from "../../app/ports/stores.js";
import type { Loads, Updates } from "../../app/ports/update-ports.js";
import type { UpdatesAround } from "../timed-updates.js";
import type { UsageStore } from "../../app/ports/usage-ports.js";
import type { Decision } from "../../domain/changes.js";
import type { Session } from "../../domain/session.js";
import { sessionIdFloor } from "../../domain/session-id.js";
import { LmdbAuditStore } from "./audit.js";
import { LmdbEdgeStatus } from "./edge-status.js";
import { LmdbFleetTime } from "./fleet-time.js";
import { openLayout } from "./layout.js";
import type { LmdbLayout } from "./layout.js";
import { LmdbLog } from "./invalidation-log.js";
import { LmdbOperatorStore } from "./operator.js";
import { LmdbPolicies } from "./policies.js";
import { LmdbRevocations } from "./revocations.js";
import { prepareSchema } from "./schema.js";
import { LmdbUpdates } from "./updates.js";
import { findSession } from "./usage-rows.js";
import { LmdbUsage } from "./usage.js";

/** Counting is native but not free: about 1 ms for this many keys, then others get their turn. */
const COUNT_CHUNK = 10_000;

/** What is under way on the disk may end, when the store is closed. After that it counts as hanging. */
const CLOSE_MS = 2000;

export interface Closing {
  /** Without them the end of what is under way is waited for, however long. */
  readonly timers?: Timers;
  /** Called once it is closed, and not where something hangs: that may yet write. */
  readonly closed?: () => void;
}

/** For one process: another one would read what this wrote a turn of its event loop later. */
export class LmdbStore implements Stores {
  readonly invalidations: LmdbLog;
  readonly revocations: BulkRevocationStore;
  readonly operator: OperatorStore;
  readonly audit: AuditStore;
  readonly policies: PolicyStore;
  readonly edgeStatus: EdgeStatusStore;
  readonly usage: UsageStore;
  readonly fleetTime: FleetTime;
  readonly claims = ALL_CLAIMS;
  readonly health: StoreHealth;
  private readonly updates: Updates;

  private constructor(
    /** For the parts of the store that stand beside this one. */
    readonly db: LmdbLayout,
    log: string,
    private readonly closing: Closing,
    around: UpdatesAround,
  ) {
    this.invalidations = new LmdbLog(db, log);
    this.updates = around(new LmdbUpdates(db, log));
    this.revocations = new LmdbRevocations(db);
    this.operator = new LmdbOperatorStore(db);
    this.audit = new LmdbAuditStore(db);
    this.policies = new LmdbPolicies(db);
    this.edgeStatus = new LmdbEdgeStatus(db);
    this.usage = new LmdbUsage(db, log);
    this.fleetTime = new LmdbFleetTime(db, log);
    this.health = db.commits;
  }

  /** Opens the folder, or makes it ready for use. A rejection if a schema stands there that cannot be brought to this. */
  static async open(
    folder: string,
    random: Random,
    closing: Closing = {},
    around: UpdatesAround = (updates) => updates,
  ): Promise<LmdbStore> {
    const db = openLayout(folder, random);
    try {
      return new LmdbStore(db, await prepareSchema(db, random), closing, around);
    } catch (error) {
      await db.env.close();
      throw error;
    }
  }

  update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: (found: Loads[Kind]["found"]) => Decision<Answer>,
  ): Promise<Decision<Answer>> {
    return this.updates.update(kind, wanted, decide);
  }

  find(id: string): Promise<Session | undefined> {
    return Promise.resolve(findSession(this.db, id));
  }

  position(): Promise<LogPosition> {
    return this.invalidations.position();
  }

  async countLive(planId: number, sinceMs: number): Promise<number> {
    const end: [number, string] = [planId + 1, ""];
    let start: [number, string] = [planId, sessionIdFloor(sinceMs)];
    let count = 0;
    for (;;) {
      const [next] = [...this.db.byPlan.getKeys({ start, end, offset: COUNT_CHUNK, limit: 1 })];
      if (next === undefined) return count + this.db.byPlan.getKeysCount({ start, end });
      count += COUNT_CHUNK;
      start = next;
      await nextTurn();
    }
  }

  async close(): Promise<void> {
    this.invalidations.close();
    const { timers, closed } = this.closing;
    const { commits, env } = this.db;
    if (timers !== undefined && !(await commits.idle(timers, CLOSE_MS))) return;
    await env.close();
    closed?.();
  }
}
