// The store's port over plain maps, for tests of what uses it. It passes the same contract as the real one.
import type { LogPosition, SessionStore } from "../../app/ports/ports.js";
import { hasEndedForGood } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { MemoryPolicies } from "./policies.js";
import { MemoryUsage } from "./usage.js";

export class MemoryStore implements SessionStore {
  readonly usage: MemoryUsage;
  readonly policies: MemoryPolicies;
  private readonly sessions = new Map<string, Session>();
  private readonly invalidations: string[] = [];

  constructor(private readonly log = "log-of-a-test") {
    const { sessions, invalidations } = this;
    const position = (): LogPosition => ({ log: this.log, cursor: invalidations.length });
    this.policies = new MemoryPolicies(position);
    this.usage = new MemoryUsage({
      sessions,
      appendRefresh: (id) => void invalidations.push(id),
      position,
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

  close(): Promise<void> {
    return Promise.resolve();
  }
}
