// Decides what goes of old sessions: those past their end whole, of others what is known of their client's person.
import { hasEndedForGood, withoutClientDetails } from "../session.js";
import type { Session } from "../session.js";
import type { Decision } from "../changes.js";

/** Removes sessions of the page that are past their lifetime, with all that belongs to them. Answers which. */
export function decideExpiry(
  page: readonly Session[],
  isExpired: (session: Session) => boolean,
): Decision<readonly Session[]> {
  const expired = page.filter(isExpired);
  return { answer: expired, changes: { sessions: expired.map(removal) } };
}

/** Removes sessions of the page that ended for good and were created before. Answers how many. */
export function decideRemoval(page: readonly Session[], createdBeforeMs: number): Decision<number> {
  const over = page.filter((session) => hasEndedForGood(session) && session.createdAt < createdBeforeMs);
  return { answer: over.length, changes: { sessions: over.map(removal) } };
}

/** Takes address and user agent from sessions of the page. Answers how many it looked at. */
export function decideForgetting(page: readonly Session[]): Decision<number> {
  const known = page.filter(({ metadata }) => metadata.ip !== null || metadata.userAgent !== null);
  const sessions = known.map((session) => ({ before: session, after: withoutClientDetails(session) }));
  return { answer: page.length, changes: { sessions } };
}

const removal = (session: Session) => ({ before: session, after: null });
