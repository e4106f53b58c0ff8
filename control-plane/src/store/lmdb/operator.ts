// The store's part for operators and login services: creation within limits, changes of plan, lists, and what must be forgotten.
import { setImmediate as nextTurn } from "node:timers/promises";

import type {
  Issue,
  IssueOutcome,
  Move,
  ChangePlanOutcome,
  OperatorStore,
  RepeatableRequest,
  SessionIndex,
  SessionLimit,
} from "../../app/ports/operator-ports.js";
import { sessionIdFloor } from "../../domain/session-id.js";
import { withoutClientDetails, withPlan } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { appendAudit } from "./audit.js";
import { dropCreationKeys, findCreationKey, keepCreationKey } from "./creation-keys.js";
import type { LmdbLayout } from "./layout.js";
import { appendInvalidation } from "./invalidation-log.js";
import { revokeNow } from "./revocations.js";
import { indexSession, indexUnderPlan, unindexFromPlan } from "./session-index.js";
import { findSession, findWithRows } from "./usage-rows.js";

/** Sorts after every session id. */
const AFTER_ALL_IDS = "~";
/** Others get their turn after so many rows of listed sessions: about 2 ms. */
const ROWS_A_TURN = 500;
/** Twice what a policy may allow. A user who has more, from before there was a limit, loses them in several steps. */
const MAX_COUNTED = 2000;

export class LmdbOperatorStore implements OperatorStore {
  constructor(private readonly db: LmdbLayout) {}

  async issue(issue: Issue): Promise<IssueOutcome> {
    const outcome = await this.db.env.transaction(() => this.issueNow(issue));
    if (outcome === undefined) throw new Error(`session ${issue.session.id} exists`);
    return outcome;
  }

  move(id: string, move: Move): Promise<ChangePlanOutcome> {
    return this.db.env.transaction(() => this.changePlanNow(id, move));
  }

  async sessionsBefore(index: SessionIndex, before: string | undefined, limit: number): Promise<Session[]> {
    await nextTurn();
    const sessions: Session[] = [];
    let rowsRead = 0;
    for (const id of [...this.idsBefore(index, before ?? AFTER_ALL_IDS, limit)]) {
      const found = findWithRows(this.db, id);
      if (found === undefined) continue;
      sessions.push(found.session);
      rowsRead += found.rows.length;
      if (rowsRead < ROWS_A_TURN) continue;
      rowsRead = 0;
      await nextTurn();
    }
    return sessions;
  }

  forgetMetadata(beforeMs: number, limit: number): Promise<number> {
    const { sessions, meta } = this.db;
    return this.db.env.transaction(() => {
      const start = (meta.get("metadataForgottenBefore") as string | undefined) ?? "";
      const end = sessionIdFloor(beforeMs);
      if (start >= end) return 0;
      const old = [...sessions.getRange({ start, end, limit })];
      for (const { key, value } of old) {
        const { ip, userAgent } = value.metadata;
        if (ip !== null || userAgent !== null) void sessions.put(key, withoutClientDetails(value));
      }
      const last = old.at(-1);
      void meta.put(
        "metadataForgottenBefore",
        last === undefined || old.length < limit ? end : `${last.key}${AFTER_ALL_IDS}`,
      );
      return old.length;
    });
  }

  forgetCreationKeys(beforeMs: number, limit: number): Promise<number> {
    return this.db.env.transaction(() => dropCreationKeys(this.db, beforeMs, limit));
  }

  private issueNow({ session, limit, repeatable, isLive }: Issue): IssueOutcome | undefined {
    const earlier = repeatable === null ? undefined : this.repeated(repeatable);
    if (earlier !== undefined) return earlier;
    if (this.db.sessions.doesExist(session.id)) return undefined;
    const surplus = limit === null ? [] : this.surplus(session.userId, session.plan.id, limit, isLive);
    if (surplus.length > 0 && limit?.onMaxSessions === "refuse") return { outcome: "tooManySessions" };

    const removed = surplus.map((one) => revokeNow(this.db, one, session.createdAt));
    void this.db.sessions.put(session.id, session);
    indexSession(this.db, session);
    if (repeatable !== null) {
      const { key, requestHash, keptSinceMs } = repeatable;
      const made = { requestHash, sessionId: session.id, planId: session.plan.id, atMs: session.createdAt };
      keepCreationKey(this.db, key, made, keptSinceMs);
    }
    return { outcome: "created", removed };
  }

  private repeated({ key, requestHash, keptSinceMs }: RepeatableRequest): IssueOutcome | undefined {
    const made = findCreationKey(this.db, key, keptSinceMs);
    if (made === undefined) return undefined;
    if (made.requestHash !== requestHash) return { outcome: "keyReused" };
    const session = findSession(this.db, made.sessionId);
    return session === undefined ? { outcome: "gone" } : { outcome: "repeated", session, planId: made.planId };
  }

  private changePlanNow(id: string, { plan, atMs, isLive, audited }: Move): ChangePlanOutcome {
    const before = findSession(this.db, id);
    if (before === undefined) return { outcome: "unknown" };
    if (!isLive(before)) return { outcome: "ended" };
    if (before.plan.id === plan.id) return { outcome: "unchanged", session: before };
    const { maxSessionsPerUser: maxSessions, onMaxSessions } = plan;
    const limit = maxSessions === null ? null : { maxSessions, onMaxSessions };
    if (limit !== null && this.surplus(before.userId, plan.id, limit, isLive).length > 0) {
      return { outcome: "tooManySessions" };
    }
    const session = withPlan(before, plan);
    void this.db.sessions.put(id, session);
    unindexFromPlan(this.db, before);
    indexUnderPlan(this.db, session);
    appendInvalidation(this.db, "refresh", id, atMs);
    appendAudit(this.db, audited(before));
    return { outcome: "moved", session };
  }

  /** The user's sessions of the plan that must go, the oldest first, so that one more is within the limit. */
  private surplus(userId: string, planId: number, { maxSessions }: SessionLimit, isLive: Issue["isLive"]): Session[] {
    const live: Session[] = [];
    const range = { start: [userId, planId], end: [userId, planId + 1], limit: MAX_COUNTED };
    for (const [, , id] of this.db.byUserAndPlan.getKeys(range)) {
      const session = this.db.sessions.get(id);
      if (session !== undefined && isLive(session)) live.push(session);
    }
    return live.slice(0, Math.max(0, live.length + 1 - maxSessions));
  }

  private *idsBefore(index: SessionIndex, before: string, limit: number): Generator<string> {
    const down = { reverse: true, exclusiveStart: true, limit };
    const { sessions, byUser, byOrg, byPlan } = this.db;
    switch (index.by) {
      case "user":
        for (const [, id] of byUser.getKeys({ start: [index.userId, before], end: [index.userId, ""], ...down }))
          yield id;
        break;
      case "org":
        for (const [, id] of byOrg.getKeys({ start: [index.orgId, before], end: [index.orgId, ""], ...down })) yield id;
        break;
      case "plan":
        for (const [, id] of byPlan.getKeys({ start: [index.planId, before], end: [index.planId, ""], ...down }))
          yield id;
        break;
      case "creation":
        yield* sessions.getKeys({ start: before, end: "", ...down });
    }
  }
}
