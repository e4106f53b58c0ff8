// Decides on sessions that a clock far ahead of the present one has created: from when on their time counts, and what goes.
import { createdAtMs, hasEndedForGood, withoutClientDetails } from "../session.js";
import type { Session } from "../session.js";
import type { Decision } from "../changes.js";

export interface AheadRules {
  readonly nowMs: number;
  readonly endsAtMs: (session: Session) => number;
  /** Of any plan: for so long an ended session is kept, as its answer to edges says for how long it stays ended. */
  readonly longestLifetimeMs: number;
}

export interface AheadSwept {
  readonly noticed: number;
  /** Those whose lifetime is over; they are removed. */
  readonly expired: readonly Session[];
}

/** Which of the two clocks was right is not known, so createdAt stays: it counts again once the clock has come to it. */
export function decideAhead(
  page: readonly Session[],
  { nowMs, endsAtMs, longestLifetimeMs }: AheadRules,
): Decision<AheadSwept> {
  const noticed = page.filter(({ aheadSince }) => aheadSince === undefined);
  const known = page.filter(({ aheadSince }) => aheadSince !== undefined);
  const expired = known.filter((session) => !hasEndedForGood(session) && endsAtMs(session) <= nowMs);
  const over = known.filter(
    (session) => hasEndedForGood(session) && createdAtMs(session, nowMs) + longestLifetimeMs <= nowMs,
  );
  const marked = noticed.map((session) => ({ before: session, after: { ...session, aheadSince: nowMs } }));
  const removals = [...expired, ...over].map((session) => ({ before: session, after: null }));
  return { answer: { noticed: noticed.length, expired }, changes: { sessions: [...marked, ...removals] } };
}

/** Takes address and user agent from those of the page whose time since they were noticed is over. */
export function decideForgettingAhead(page: readonly Session[], noticedBeforeMs: number): Decision<undefined> {
  const due = page.filter(({ metadata, aheadSince }) => {
    if (metadata.ip === null && metadata.userAgent === null) return false;
    return aheadSince !== undefined && aheadSince < noticedBeforeMs;
  });
  const sessions = due.map((session) => ({ before: session, after: withoutClientDetails(session) }));
  return { answer: undefined, changes: { sessions } };
}
