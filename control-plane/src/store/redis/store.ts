// The store in Redis or Valkey, which any number of control planes share.
import type { AuditStore } from "../../app/ports/audit-ports.js";
import type { Claims } from "../../app/ports/claim-ports.js";
import type { EdgeStatusStore } from "../../app/ports/edge-status-ports.js";
import type { FleetTime } from "../../app/ports/fleet-time.js";
import type { Timers } from "../../app/ports/log-ports.js";
import type { OperatorStore } from "../../app/ports/operator-ports.js";
import type { Logger, PolicyStore, Random } from "../../app/ports/ports.js";
import type { BulkRevocationStore } from "../../app/ports/revocation-ports.js";
import type { StoreHealth } from "../../app/ports/store-health.js";
import type { StoreTime } from "../../app/ports/store-time.js";
import type { Stores } from "../../app/ports/stores.js";
import type { Loads, UpdateMeter, Updates } from "../../app/ports/update-ports.js";
import type { UsageStore } from "../../app/ports/usage-ports.js";
import type { Decision } from "../../domain/changes.js";
import { sessionIdFloor } from "../../domain/session-id.js";
import type { Session } from "../../domain/session.js";
import { activeSession } from "../../domain/stored.js";
import type { LogPosition } from "../../domain/stored.js";
import { QueuedUpdates } from "../queued-updates.js";
import type { UpdatesAround } from "../timed-updates.js";
import type { RedisAddress } from "../store-address.js";
import { Link } from "./connection/link.js";
import type { Linked } from "./connection/link.js";
import { Durability } from "./durability.js";
import type { DurabilityMeter } from "./durability.js";
import { RedisEngine } from "./engine.js";
import { keyOf } from "./keys.js";
import { RedisAudit } from "./ports/audit.js";
import { RedisClaims } from "./ports/claims.js";
import { RedisEdgeStatus } from "./ports/edge-status.js";
import { RedisFleetTime } from "./ports/fleet-time.js";
import { RedisLog } from "./ports/invalidation-log.js";
import { RedisOperatorStore } from "./ports/operator.js";
import { RedisPolicies } from "./ports/policies.js";
import { RedisRevocations } from "./ports/revocations.js";
import { RedisTime } from "./ports/time.js";
import { RedisUsage } from "./ports/usage.js";
import { Pulse } from "./pulse.js";
import { LEX } from "./reading/reads.js";
import { Reads } from "./reading/reads.js";
import { Commits } from "./writing/commits.js";

const HOLDER_BYTES = 8;

export interface RedisMeter extends UpdateMeter, DurabilityMeter {
  /** Commits that the store had acknowledged, and does not have any more. */
  lost(commits: number): void;
}

export interface RedisStoreParts {
  readonly address: RedisAddress;
  readonly random: Random;
  readonly timers: Timers;
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
  readonly meter: RedisMeter;
  /** While it is being opened, and later: why it cannot be used, each time that another reason is found. */
  readonly waits?: ((why: string) => void) | undefined;
  readonly around?: UpdatesAround | undefined;
}

export class RedisStore implements Stores {
  readonly invalidations: RedisLog;
  readonly revocations: BulkRevocationStore;
  readonly operator: OperatorStore;
  readonly audit: AuditStore;
  readonly policies: PolicyStore;
  readonly edgeStatus: EdgeStatusStore;
  readonly usage: UsageStore;
  readonly fleetTime: FleetTime;
  readonly claims: Claims;
  readonly storeTime: StoreTime;
  readonly health: StoreHealth;
  private readonly link: Link;
  private readonly reads: Reads;
  private readonly commits: Commits;
  private readonly pulse: Pulse;
  private readonly durability: Durability;
  private readonly updates: Updates;

  private constructor(private readonly parts: RedisStoreParts) {
    const { address, random, timers, logger } = parts;
    this.durability = new Durability({ ...parts, replicas: address.replicas });
    const noteHead = (head: LogPosition): void => {
      this.invalidations.noteHead(head);
    };
    const refusal = (): string | undefined => this.durability.refusal();
    const woken = (): void => {
      this.invalidations.woken();
    };
    this.link = new Link({
      ...parts,
      linked: (now) => {
        void this.durability.linked(now);
        this.invalidations.noteHead(now);
      },
      begun: (now) => {
        this.begun(now);
      },
      woken,
    });
    this.reads = new Reads({ link: this.link, noteHead });
    this.commits = new Commits({ link: this.link, replicas: address.replicas, noteHead, refusal });
    this.invalidations = new RedisLog({ reads: this.reads, commits: this.commits, logger });
    const updates = new QueuedUpdates(new RedisEngine(this.reads, this.commits), parts.meter);
    this.updates = parts.around?.(updates) ?? updates;
    this.revocations = new RedisRevocations(this.reads, this.commits);
    this.operator = new RedisOperatorStore(this.reads, this.commits);
    this.audit = new RedisAudit(this.reads, this.commits);
    this.policies = new RedisPolicies(this.reads, this.commits);
    this.usage = new RedisUsage(this.reads, this.commits);
    this.fleetTime = new RedisFleetTime(this.reads, this.commits);
    const holder = Buffer.from(random.bytes(HOLDER_BYTES)).toString("hex");
    this.claims = new RedisClaims(this.commits, holder);
    this.edgeStatus = new RedisEdgeStatus(this.reads, this.commits, holder);
    this.storeTime = new RedisTime(this.reads);
    this.health = this.commits;
    this.pulse = new Pulse({
      ...{ link: this.link, timers, noteHead },
      noteServer: (info) => {
        this.durability.note(info);
      },
    });
  }

  /** Resolves once the store answers and is one of this program, however long that takes. */
  static async open(parts: RedisStoreParts): Promise<RedisStore> {
    const store = new RedisStore(parts);
    await store.link.start();
    return store;
  }

  update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: (found: Loads[Kind]["found"]) => Decision<Answer>,
  ): Promise<Decision<Answer>> {
    return this.updates.update(kind, wanted, decide);
  }

  async find(id: string): Promise<Session | undefined> {
    const { found } = await this.usage.look(id);
    return found && activeSession(found);
  }

  position(): Promise<LogPosition> {
    return this.invalidations.position();
  }

  async countLive(planId: number, sinceMs: number): Promise<number> {
    const low = LEX.from(sessionIdFloor(sinceMs));
    return Number(await this.reads.command(["ZLEXCOUNT", keyOf.plan(planId), low, LEX.last]));
  }

  close(): Promise<void> {
    this.pulse.stop();
    this.invalidations.close();
    this.link.close();
    return Promise.resolve();
  }

  private begun(now: Linked): void {
    const lost = this.commits.begun(now);
    if (lost > 0) {
      this.parts.meter.lost(lost);
      const fields = { event: "store-lost-commits", lost };
      this.parts.logger.error(fields, `the store has lost at least ${lost} commits that it had acknowledged`);
    }
    this.invalidations.noteHead(now);
  }
}
