// Which updates a server that is full is asked for as well: a store that took none could never make room by itself, and nobody
// could be shut out of it (docs/decisions/0082-what-a-full-server-still-takes.md).
import type { Changes, SessionChange } from "../../../domain/changes.js";
import { hasEndedForGood } from "../../../domain/session.js";

/** Sessions go, end, or are less than before; with what is written about that, and nothing beside it. */
export function makesRoomOrEnds(changes: Changes): boolean {
  const { sessions = [], rows = [], budgets = [], creationKey, consumptionKey, revocation } = changes;
  if (creationKey !== undefined || consumptionKey !== undefined) return false;
  if (sessions.length === 0 && revocation === undefined) return false;
  // An acquire, or leases, decided with the end of the session goes with it.
  const ending = new Set(sessions.filter(ends).map(({ before }) => before?.id));
  const isOfEnding = ({ sessionId }: { readonly sessionId: string }): boolean => ending.has(sessionId);
  return sessions.every((one) => ends(one) || isLess(one)) && [...rows, ...budgets].every(isOfEnding);
}

const ends = ({ before, after }: SessionChange): boolean =>
  before !== null && (after === null || (hasEndedForGood(after) && !hasEndedForGood(before)));

/** As sweeps write sessions that stay: without what was known of the client, or noted as ahead of the clock. */
const isLess = ({ before, after }: SessionChange): boolean =>
  before !== null &&
  after !== null &&
  isSame(before.plan, after.plan) &&
  isSame(before.tokens, after.tokens) &&
  isSame(before.lastActivity, after.lastActivity) &&
  isSame(before.announcedBudget, after.announcedBudget) &&
  isSame(before.revokedAt, after.revokedAt);

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
