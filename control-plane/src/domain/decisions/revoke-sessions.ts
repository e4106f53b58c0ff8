// Decides on revocations: of one session, and of a chunk of all that a user or an organisation has.
import type { Session } from "../session.js";
import { unchanged } from "../changes.js";
import type { Decision } from "../changes.js";
import type { AuditEvent, BulkRevocation, Invalidation, RevocationFilter, StoredRevocation } from "../stored.js";

/** What a revocation of a session that is not revoked writes. */
export function revocationOf(
  session: Session,
  atMs: number,
): { readonly change: { readonly before: Session; readonly after: Session }; readonly invalidation: Invalidation } {
  return {
    change: { before: session, after: { ...session, revokedAt: atMs } },
    invalidation: { kind: "revoked", sessionId: session.id, atMs },
  };
}

/** `newly` is false, and nothing is written, where it was revoked before. Undefined if there is no such session. */
export type Revoked = { readonly newly: boolean; readonly session: Session } | undefined;

/** A revocation that someone asked for is `audited`. */
export function decideRevocation(
  session: Session | undefined,
  atMs: number,
  audited: AuditEvent | undefined,
): Decision<Revoked> {
  if (session === undefined) return unchanged(undefined);
  if (session.revokedAt !== null) return unchanged({ newly: false, session });
  const { change, invalidation } = revocationOf(session, atMs);
  const { issuer = null } = session;
  const audit = audited === undefined ? [] : [{ ...audited, details: { ...audited.details, issuer } }];
  return {
    answer: { newly: true, session: change.after },
    changes: { sessions: [change], invalidations: [invalidation], audit },
  };
}

export interface BulkRequest {
  readonly id: string;
  readonly filter: RevocationFilter;
  readonly atMs: number;
  readonly audited: AuditEvent | undefined;
}

/** @param newest the newest session meant: whatever clocks say, none that is created later is revoked */
export function decideBulkRevocation(
  newest: string | undefined,
  { id, filter, atMs, audited }: BulkRequest,
): Decision<BulkRevocation> {
  const finishedAt = newest === undefined ? atMs : null;
  const operation = { id, filter, createdAt: atMs, examined: 0, revoked: 0, finishedAt };
  const revocation = { ...operation, upTo: newest ?? "", doneTo: "" };
  return { answer: operation, changes: { revocation, audit: audited === undefined ? [] : [audited] } };
}

export interface ChunkState {
  readonly operation: StoredRevocation | undefined;
  /** The next sessions after `doneTo` and up to `upTo`, in the order of their creation, at most `limit`. */
  readonly sessions: readonly Session[];
}

export interface RevokedChunk {
  readonly operation: BulkRevocation;
  /** The sessions that this chunk revoked, as they were before. */
  readonly revoked: readonly Session[];
}

/**
 * Sessions and progress are one commit, so whoever goes on after a kill repeats nothing. The chunk that reaches the newest
 * session meant is the last one. An empty one reaches it: that session is gone. Undefined: no such operation.
 */
export function decideChunk({ operation, sessions }: ChunkState, atMs: number): Decision<RevokedChunk | undefined> {
  if (operation === undefined) return unchanged(undefined);
  if (operation.finishedAt !== null) return unchanged({ operation, revoked: [] });
  const revoked = sessions.filter(({ revokedAt }) => revokedAt === null);
  const revocations = revoked.map((session) => revocationOf(session, atMs));
  const doneTo = sessions.at(-1)?.id ?? operation.upTo;
  const after = {
    ...operation,
    doneTo,
    examined: operation.examined + sessions.length,
    revoked: operation.revoked + revoked.length,
    finishedAt: doneTo === operation.upTo ? atMs : null,
  };
  return {
    answer: { operation: after, revoked },
    changes: {
      sessions: revocations.map(({ change }) => change),
      invalidations: revocations.map(({ invalidation }) => invalidation),
      revocation: after,
    },
  };
}
