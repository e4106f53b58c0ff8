// Whose sessions: those that an issuer issued. It sees no others, and a user's limit counts no others with them.
import type { Session } from "./session.js";

/** The sessions of one issuer, or of these the ones of one organisation. */
export interface IssuedBy {
  readonly issuer: string;
  /** Null: of any. */
  readonly orgId: string | null;
}

/** @param issuedBy null: whoever issued it */
export const isIssuedBy = ({ issuer, orgId }: Session, issuedBy: IssuedBy | null): boolean =>
  issuedBy === null || (issuer === issuedBy.issuer && (issuedBy.orgId === null || orgId === issuedBy.orgId));

/** Stands in every public name of an operator's token, and in no issuer's name. */
const OF_OPERATORS = ":";

/**
 * Of whose sessions a user has only so many in a plan: of its issuer's. A user id means something to the issuer that
 * gives it, and to count another's would tell of them, or revoke them to make room. What operators have issued, and what
 * an earlier version has, counts together: null.
 */
export const limitGroup = ({ issuer }: Pick<Session, "issuer">): string | null =>
  issuer === undefined || issuer.includes(OF_OPERATORS) ? null : issuer;

/** The sessions that a session counts with. */
export interface Peers {
  readonly userId: string;
  readonly planId: number;
  /** As `limitGroup` gives it. */
  readonly group: string | null;
}

export const peersIn = (planId: number, session: Pick<Session, "userId" | "issuer">): Peers => ({
  userId: session.userId,
  planId,
  group: limitGroup(session),
});
