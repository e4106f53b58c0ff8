// What is stored beside a session: who holds it and what was spent there, keys of repeated calls, entries of two logs.
import type { Instance } from "./instance.js";
import type { FleetBudget } from "./leases/fleet-budget.js";
import type { LimitLevels } from "./limit-levels.js";
import { withActivity } from "./session.js";
import type { Session } from "./session.js";

export type { Instance } from "./instance.js";

/** What an instance last reported of a session. Absolute, and ordered by `rev`. */
export interface Figures {
  readonly rev: number;
  /** Tokens spent there, in all. */
  readonly consumed: number;
  /** Microtokens in the bucket at `atMs`; below 0 it owes. */
  readonly levelMicro: number;
  /** When the last request was admitted there, ms since the epoch. */
  readonly atMs: number;
  /** When the report came, ms since the epoch. */
  readonly reportedAtMs: number;
  /** Levels of the plan's further limits, each as it was last reported; absent where none ever was. */
  readonly limits?: LimitLevels;
  /** The levels are what was left of a lease, and say nothing of the session's budget. */
  readonly isLease?: true;
}

/** A session at an instance that has acquired it. `figures` is null until the first report. */
export interface UsageRow extends Instance {
  readonly figures: Figures | null;
}

export interface HeldRow extends UsageRow {
  /** When the instance last asked for the session, ms since the epoch; 0: it did not. */
  readonly acquiredAtMs: number;
  /** Only in the row of those that were merged: the ones that are kept as they were. */
  readonly remembered?: readonly HeldRow[];
}

/** The session is as all entries of the log up to `cursor` have made it, and no later one. */
export interface LogPosition {
  readonly log: string;
  readonly cursor: number;
}

/** A session as it is stored with its rows. When it was last acquired stands in the rows only. */
export interface SessionRecord {
  readonly session: Session;
  readonly rows: readonly HeldRow[];
  /** Absent where its plan never was of fleet scope. */
  readonly budget?: FleetBudget;
}

/** The session, active as of when it was last acquired too. */
export function activeSession({ session, rows }: SessionRecord): Session {
  return rows.reduce((active, { acquiredAtMs }) => {
    return acquiredAtMs > active.lastActivity ? withActivity(active, acquiredAtMs) : active;
  }, session);
}

/** An instance's digits are of one length, so that no two pairs share a key. */
export const instanceKey = ({ edge, instance }: Instance): string => `${instance}${edge}`;

export const isSameInstance = (one: Instance, other: Instance): boolean =>
  one.edge === other.edge && one.instance === other.instance;

/** The order in which every store gives the rows of a session. */
export function byEdgeAndInstance(one: Instance, other: Instance): number {
  const [a, b] = one.edge === other.edge ? [one.instance, other.instance] : [one.edge, other.edge];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** revoked: the session is over for good. refresh: it changed, so the edge's next request of it is to ask again. */
export type InvalidationKind = "revoked" | "refresh";

/** One entry of the invalidation log. */
export interface Invalidation {
  readonly kind: InvalidationKind;
  readonly sessionId: string;
  /** When, ms since the epoch. */
  readonly atMs: number;
}

export type AuditAction =
  | "session-revoked"
  | "sessions-revoked"
  | "plan-changed"
  | "token-reissued"
  | "policy-accepted"
  | "policy-rejected"
  | "policy-held"
  | "policy-confirmed";

/** An entry of the audit log. `details` differ by action, and hold no secret. */
export interface AuditEvent {
  /** When, ms since the epoch. */
  readonly at: number;
  /** The public name of an admin token, or `file` for the policy file. */
  readonly actor: string;
  readonly action: AuditAction;
  /** Null where it is about no one session. */
  readonly sessionId: string | null;
  readonly details: Readonly<Record<string, string | number | null>>;
}

/** What a creation with an `Idempotency-Key` made. The token is made again from id and plan, and is never stored. */
export interface CreationKey {
  readonly requestHash: string;
  readonly sessionId: string;
  /** The session's plan then: the token carries it. */
  readonly planId: number;
  readonly atMs: number;
}

/** Tokens: what the session may consume in all, and has consumed. */
export interface BudgetState {
  readonly budget: number;
  readonly consumed: number;
}

/** What a consumption with an `Idempotency-Key` took, and the figures after it. */
export interface ConsumptionKey extends BudgetState {
  readonly count: number;
  readonly atMs: number;
}

/** Whose sessions a bulk revocation means. */
export type RevocationFilter = { readonly userId: string } | { readonly orgId: string };

/** Revoking all sessions of a user or an organisation. Times are ms since the epoch. */
export interface BulkRevocation {
  /** A UUIDv7. */
  readonly id: string;
  readonly filter: RevocationFilter;
  readonly createdAt: number;
  /** Sessions looked at so far. */
  readonly examined: number;
  /** Of those, the ones that it revoked; the others had been revoked before. */
  readonly revoked: number;
  /** When the last session was revoked, null while it goes on. */
  readonly finishedAt: number | null;
  /**
   * Number of the invalidation log's last entry when its last chunk so far was committed: an edge that has passed it
   * denies all that was revoked. Undefined for one that an earlier version stored.
   */
  readonly cursor?: number;
  /** In which log. Undefined for one that an earlier version stored: in the store's present one. */
  readonly log?: string;
}

export interface StoredRevocation extends BulkRevocation {
  /** The newest session there was when it was asked for: none after it is revoked. */
  readonly upTo: string;
  /** The session looked at last; empty before the first. */
  readonly doneTo: string;
}

/** What of it is of interest to whoever asked for it. */
export function shownRevocation({ upTo: _upTo, doneTo: _doneTo, ...operation }: StoredRevocation): BulkRevocation {
  return operation;
}
