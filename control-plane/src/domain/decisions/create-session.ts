// Decides on a new session: once a key, and within what its user may have.
import type { OnMaxSessions, PlanOfPolicy } from "../plan.js";
import { asNewest, inOrderOfCreation } from "../session.js";
import type { Session } from "../session.js";
import { unchanged } from "../changes.js";
import type { Decision } from "../changes.js";
import type { CreationKey } from "../stored.js";
import { revocationOf } from "./revoke-sessions.js";

/** How many live sessions a user may have in a plan, and what happens to one more. */
export interface SessionLimit {
  readonly maxSessions: number;
  readonly onMaxSessions: OnMaxSessions;
}

/** Null: no limit. */
export function limitOf({ maxSessionsPerUser: maxSessions, onMaxSessions }: PlanOfPolicy): SessionLimit | null {
  return maxSessions === null ? null : { maxSessions, onMaxSessions };
}

/** A creation that may be repeated and then gives the same session again. */
export interface RepeatableRequest {
  /** The client's `Idempotency-Key`, as its credential's own. */
  readonly key: string;
  /** Stands for all that the request says: another one under the same key is a mistake. */
  readonly requestHash: string;
  /** A key that is older counts as new. */
  readonly keptSinceMs: number;
}

export interface Creation {
  readonly session: Session;
  /** Null: no limit. */
  readonly limit: SessionLimit | null;
  /** Null: each request makes another session. */
  readonly repeatable: RepeatableRequest | null;
  /** Whether a session counts against the limit now. */
  readonly isLive: (session: Session) => boolean;
}

export interface CreationState {
  /** Whether there is a session of this id. */
  readonly exists: boolean;
  /** The highest id below the ceiling of the new one's. */
  readonly newestId: string | undefined;
  /** What the key has made. */
  readonly made: CreationKey | undefined;
  /** The session that it made, if it is still stored. */
  readonly madeSession: Session | undefined;
  /** The user's sessions of the same issuer in the plan; none where there is no limit. */
  readonly peers: readonly Session[];
}

export type CreationOutcome =
  /** `removed`: the sessions that were revoked to make room, as they now are. */
  | { readonly outcome: "created"; readonly session: Session; readonly removed: readonly Session[] }
  /** The key has made this session before, under this plan id. */
  | { readonly outcome: "repeated"; readonly session: Session; readonly planId: number }
  /** The key has made a session that is not stored any more. */
  | { readonly outcome: "gone" }
  /** The key has been used for a request that said something else. */
  | { readonly outcome: "keyReused" }
  /** No session is ever silently replaced by another of its id. */
  | { readonly outcome: "exists" }
  | { readonly outcome: "tooManySessions" };

export function decideCreation(state: CreationState, creation: Creation): Decision<CreationOutcome> {
  const { limit, repeatable, isLive } = creation;
  const earlier = repeatable === null ? undefined : repeated(state, repeatable);
  if (earlier !== undefined) return unchanged(earlier);
  if (state.exists) return unchanged({ outcome: "exists" });
  const surplus = limit === null ? [] : surplusOf(state.peers.filter(isLive), limit);
  if (surplus.length > 0 && limit?.onMaxSessions === "refuse") return unchanged({ outcome: "tooManySessions" });

  const session = asNewest(creation.session, state.peers);
  const atMs = session.createdAt;
  const revocations = surplus.map((one) => revocationOf(one, atMs));
  const sessions = [...revocations.map(({ change }) => change), { before: null, after: session }];
  const invalidations = revocations.map(({ invalidation }) => invalidation);
  const removed = revocations.map(({ change }) => change.after);
  const changes = { sessions, invalidations };
  if (repeatable === null) return { answer: { outcome: "created", session, removed }, changes };
  const { key, requestHash, keptSinceMs } = repeatable;
  const creationKey = { key, requestHash, sessionId: session.id, planId: session.plan.id, atMs, keptSinceMs };
  return { answer: { outcome: "created", session, removed }, changes: { ...changes, creationKey } };
}

function repeated(
  { made, madeSession }: CreationState,
  { requestHash, keptSinceMs }: RepeatableRequest,
): CreationOutcome | undefined {
  if (made === undefined || made.atMs < keptSinceMs) return undefined;
  if (made.requestHash !== requestHash) return { outcome: "keyReused" };
  return madeSession === undefined
    ? { outcome: "gone" }
    : { outcome: "repeated", session: madeSession, planId: made.planId };
}

/** Those of a user's live sessions, the oldest of them, that must go so that one more is within the limit. */
export function surplusOf(live: readonly Session[], { maxSessions }: SessionLimit): readonly Session[] {
  return inOrderOfCreation(live).slice(0, Math.max(0, live.length + 1 - maxSessions));
}
