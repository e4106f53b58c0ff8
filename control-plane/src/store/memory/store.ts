// All ports of a store over plain maps, for tests of what uses them. It passes the same contracts as the real one.
import type { LogPosition } from "../../domain/stored.js";
import type { AuditStore } from "../../app/ports/audit-ports.js";
import type { EdgeStatusStore } from "../../app/ports/edge-status-ports.js";
import type { FleetTime } from "../../app/ports/fleet-time.js";
import type { OperatorStore, SessionIndex } from "../../app/ports/operator-ports.js";
import type { BulkRevocationStore } from "../../app/ports/revocation-ports.js";
import { ALWAYS_WRITABLE } from "../../app/ports/store-health.js";
import type { Stores } from "../../app/ports/stores.js";
import type { Loads, Updates } from "../../app/ports/update-ports.js";
import type { UsageStore } from "../../app/ports/usage-ports.js";
import type { Decision } from "../../domain/changes.js";
import { hasEndedForGood } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { activeSession } from "../../domain/stored.js";
import { OptimisticUpdates } from "../optimistic-updates.js";
import type { VersionedEngine } from "../optimistic-updates.js";
import { MemoryAudit } from "./audit.js";
import { MemoryClaims } from "./claims.js";
import { MemoryEdgeStatus } from "./edge-status.js";
import { MemoryEngine } from "./engine.js";
import { MemoryImage } from "./image.js";
import { MemoryLog } from "./invalidation-log.js";
import { recordOf, sorted } from "./records.js";
import { MemoryPolicies } from "./policies.js";
import { MemoryStatuses } from "./shared-edge-status.js";
import { MemoryRevocations } from "./revocations.js";
import { MemoryUsage } from "./usage.js";

export class MemoryStore implements Stores {
  readonly invalidations: MemoryLog;
  readonly revocations: BulkRevocationStore;
  readonly operator: OperatorStore;
  readonly audit: AuditStore;
  readonly usage: UsageStore;
  readonly fleetTime: FleetTime;
  readonly policies: MemoryPolicies;
  readonly claims = new MemoryClaims();
  readonly edgeStatus: EdgeStatusStore = new MemoryEdgeStatus();
  readonly health = ALWAYS_WRITABLE;
  /** What happens between each load and its commit. */
  betweenLoadAndCommit: () => Promise<void> = () => Promise.resolve();
  private readonly statuses = new MemoryStatuses();
  private readonly engine: MemoryEngine;
  private readonly updates: Updates;

  /** @param updatesOver how updates are made over an engine that does not lock */
  constructor(log?: string, updatesOver = (engine: VersionedEngine): Updates => new OptimisticUpdates(engine)) {
    this.invalidations = new MemoryLog(log);
    this.engine = new MemoryEngine(this.invalidations);
    this.updates = updatesOver({
      load: (kind, wanted) => Promise.resolve(this.engine.load(kind, wanted)),
      commit: async (changes, expected) => {
        await this.betweenLoadAndCommit();
        return this.engine.commit(changes, expected) ? "committed" : "conflict";
      },
    });
    this.revocations = new MemoryRevocations(this.engine);
    this.audit = new MemoryAudit(this.engine);
    this.usage = new MemoryUsage(this.engine);
    this.fleetTime = this.engine.fleetTime;
    this.policies = new MemoryPolicies(
      () => this.invalidations.now(),
      (event) => void this.engine.audit.push(event),
    );
    this.operator = {
      hasIssued: (issuer, id) => Promise.resolve(this.engine.sessions.get(id)?.session.issuer === issuer),
      sessionsBefore: (...asked) => Promise.resolve(this.sessionsBefore(...asked)),
      forgetCreationKeys: (...asked) => Promise.resolve(this.forgetCreationKeys(...asked)),
    };
  }

  /** The same store as one of several processes has it. */
  seenBy(process: string): Stores {
    return Object.create(this, { edgeStatus: { value: this.statuses.of(process) } }) as MemoryStore;
  }

  update<Kind extends keyof Loads, Answer>(
    kind: Kind,
    wanted: Loads[Kind]["wanted"],
    decide: (found: Loads[Kind]["found"]) => Decision<Answer>,
  ): Promise<Decision<Answer>> {
    return this.updates.update(kind, wanted, decide);
  }

  find(id: string): Promise<Session | undefined> {
    const stored = this.engine.sessions.get(id);
    return Promise.resolve(stored && activeSession(recordOf(stored)));
  }

  position(): Promise<LogPosition> {
    return this.invalidations.position();
  }

  countLive(planId: number, sinceMs: number): Promise<number> {
    const counted = this.all().filter(
      (one) => one.plan.id === planId && one.createdAt >= sinceMs && !hasEndedForGood(one),
    );
    return Promise.resolve(counted.length);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** For a copy of it, or into it. */
  image(): MemoryImage {
    return new MemoryImage(this.engine, this.policies);
  }

  private all(): Session[] {
    return sorted([...this.engine.sessions.values()].map((stored) => activeSession(recordOf(stored))));
  }

  private sessionsBefore(index: SessionIndex, before: string | undefined, limit: number): Session[] {
    const isIn = (one: Session): boolean => before === undefined || one.id < before;
    return this.all()
      .filter((one) => isIn(one) && isListed(one, index))
      .reverse()
      .slice(0, limit);
  }

  private forgetCreationKeys(beforeMs: number, limit: number): number {
    const { creationKeys } = this.engine;
    const old = [...creationKeys].filter(([, { atMs }]) => atMs < beforeMs).slice(0, limit);
    for (const [key] of old) creationKeys.delete(key);
    return old.length;
  }
}

function isListed(session: Session, index: SessionIndex): boolean {
  switch (index.by) {
    case "user":
      return session.userId === index.userId;
    case "org":
      return session.orgId === index.orgId;
    case "issuer":
      return session.issuer === index.issuer && (index.userId === undefined || session.userId === index.userId);
    case "plan":
      return session.plan.id === index.planId && !hasEndedForGood(session);
    case "creation":
      return true;
  }
}
