// The store's port over plain maps, for tests of what stands on it. It passes the same contract as the real one.
import type { LogPosition, PolicyStore, SessionStore, StoredPolicy } from "../../app/ports/ports.js";
import { hasEndedForGood } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { MemoryUsage } from "./usage.js";

export class MemoryStore implements SessionStore, PolicyStore {
  readonly usage: MemoryUsage;
  private readonly sessions = new Map<string, Session>();
  private readonly invalidations: string[] = [];
  private policy: StoredPolicy | undefined;

  constructor(private readonly log = "log-of-a-test") {
    const { sessions, invalidations } = this;
    this.usage = new MemoryUsage({
      sessions,
      appendRefresh: (id) => void invalidations.push(id),
      position: () => ({ log: this.log, cursor: invalidations.length }),
    });
  }

  create(session: Session): Promise<void> {
    if (this.sessions.has(session.id)) return Promise.reject(new Error(`session ${session.id} exists`));
    this.sessions.set(session.id, session);
    return Promise.resolve();
  }

  find(id: string): Promise<Session | undefined> {
    return Promise.resolve(this.sessions.get(id));
  }

  revoke(id: string, atMs: number): Promise<{ newly: boolean; session: Session } | undefined> {
    const session = this.sessions.get(id);
    if (session === undefined) return Promise.resolve(undefined);
    if (session.revokedAt !== null) return Promise.resolve({ newly: false, session });
    const revoked = { ...session, revokedAt: atMs };
    this.sessions.set(id, revoked);
    this.invalidations.push(id);
    return Promise.resolve({ newly: true, session: revoked });
  }

  position(): Promise<LogPosition> {
    return Promise.resolve({ log: this.log, cursor: this.invalidations.length });
  }

  countLive(planId: number, sinceMs: number): Promise<number> {
    const counted = [...this.sessions.values()].filter(
      (one) => one.plan.id === planId && one.createdAt >= sinceMs && !hasEndedForGood(one),
    );
    return Promise.resolve(counted.length);
  }

  loadPolicy(): Promise<StoredPolicy | undefined> {
    return Promise.resolve(this.policy);
  }

  savePolicy(policy: StoredPolicy, expectedGeneration: number): Promise<boolean> {
    if ((this.policy?.generation ?? 0) !== expectedGeneration) return Promise.resolve(false);
    this.policy = policy;
    return Promise.resolve(true);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
