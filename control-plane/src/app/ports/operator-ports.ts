// What the operator's and the login service's use cases need of the store beyond sessions one by one.
import type { OnMaxSessions, PlanOfPolicy } from "../../domain/plan.js";
import type { Session } from "../../domain/session.js";
import type { AuditEvent } from "./audit-ports.js";

/** How many live sessions a user may have in a plan, and what happens to one more. */
export interface SessionLimit {
  readonly maxSessions: number;
  readonly onMaxSessions: OnMaxSessions;
}

/** A creation that may be repeated and then gives the same session again. */
export interface RepeatableRequest {
  /** The client's `Idempotency-Key`. */
  readonly key: string;
  /** Stands for all that the request says: another one under the same key is a mistake. */
  readonly requestHash: string;
  /** A key that is older counts as new. */
  readonly keptSinceMs: number;
}

export interface Issue {
  readonly session: Session;
  /** Null: no limit. */
  readonly limit: SessionLimit | null;
  /** Null: each request makes another session. */
  readonly repeatable: RepeatableRequest | null;
  /** Whether a session counts against the limit now. */
  readonly isLive: (session: Session) => boolean;
}

export type IssueOutcome =
  /** `removed`: the sessions that were revoked to make room, as they now are. */
  | { readonly outcome: "created"; readonly removed: readonly Session[] }
  /** The key has made this session before, under this plan id. */
  | { readonly outcome: "repeated"; readonly session: Session; readonly planId: number }
  /** The key has made a session that is not stored any more. */
  | { readonly outcome: "gone" }
  /** The key has been used for a request that said something else. */
  | { readonly outcome: "keyReused" }
  | { readonly outcome: "tooManySessions" };

export interface Move {
  readonly plan: PlanOfPolicy;
  readonly atMs: number;
  readonly isLive: (session: Session) => boolean;
  /** The entry for the audit log, given the session with its old plan. */
  readonly audited: (before: Session) => AuditEvent;
}

export type ChangePlanOutcome =
  | { readonly outcome: "moved" | "unchanged"; readonly session: Session }
  | { readonly outcome: "unknown" | "ended" | "tooManySessions" };

/** Where a list of sessions is read from. `plan` holds those that were not revoked only. */
export type SessionIndex =
  | { readonly by: "user"; readonly userId: string }
  | { readonly by: "org"; readonly orgId: string }
  | { readonly by: "plan"; readonly planId: number }
  | { readonly by: "creation" };

/** Each write is one transaction, also against others that run at the same time. */
export interface OperatorStore {
  /** Creates a session, within its user's limit and once a key. A rejection if the session's id is taken. */
  issue(issue: Issue): Promise<IssueOutcome>;
  /** Moves a live session to another plan and has edges ask for it again. Never exceeds the plan's limit of a user. */
  move(id: string, move: Move): Promise<ChangePlanOutcome>;
  /** At most `limit` sessions, the newest first; with `before`, only those whose ids are lower. Gives others a turn. */
  sessionsBefore(index: SessionIndex, before: string | undefined, limit: number): Promise<Session[]>;
  /**
   * Takes ip and userAgent from at most `limit` sessions created before `beforeMs`, the oldest first, going on where
   * it was last. Answers how many it looked at: fewer than `limit` once there are no more.
   */
  forgetMetadata(beforeMs: number, limit: number): Promise<number>;
  /** Drops at most `limit` keys of creations that are older. Answers how many. */
  forgetCreationKeys(beforeMs: number, limit: number): Promise<number>;
}
