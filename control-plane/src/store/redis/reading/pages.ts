// The pages of sweeps: walks over the indexes by time.
import type { ActivityCursor, Loads, OldestSessions, Page, PageOfPlan } from "../../../app/ports/update-ports.js";
import { sessionIdCeiling, sessionIdFloor } from "../../../domain/session-id.js";
import type { Session } from "../../../domain/session.js";
import { activeSession } from "../../../domain/stored.js";
import type { SessionRecord } from "../../../domain/stored.js";
import { KEYS, keyOf } from "../keys.js";
import { seenSessions, sessionOf } from "./named-reads.js";
import type { Seen } from "./named-reads.js";
import { LEX, lists, pairsIn, RECORDS_OF, SESSIONS_OF, strings } from "./reads.js";
import type { Reads } from "./reads.js";

type PageLoads = {
  readonly [Kind in "byActivity" | "byCreation" | "createdAfter" | "ended" | "withDetails"]: (
    wanted: Loads[Kind]["wanted"],
    seen: Seen,
  ) => Promise<Loads[Kind]["found"]>;
};

export const pageLoads = (reads: Reads, notes: NotesOfWalks): PageLoads => ({
  byActivity: (wanted, seen) => byActivity(reads, notes.indexAnew, wanted, seen),
  byCreation: ({ planId, untilMs, after, limit }, seen) => {
    const low = after === undefined ? LEX.first : LEX.after(after);
    return creationPage(reads, keyOf.plan(planId), low, LEX.before(sessionIdFloor(untilMs + 1)), limit, seen);
  },
  createdAfter: ({ createdAfterMs, after, limit }, seen) => {
    const low = after === undefined ? LEX.from(sessionIdFloor(createdAfterMs)) : LEX.after(after);
    return creationPage(reads, KEYS.sessions, low, LEX.last, limit, seen);
  },
  ended: ({ createdBeforeMs, limit }, seen) =>
    createdBefore(reads, KEYS.ended, LEX.first, createdBeforeMs, limit, seen),
  withDetails: (wanted, seen) => withDetails(reads, notes.detailsForgotten, wanted, seen),
});

async function creationPage(
  reads: Reads,
  index: string,
  low: string,
  high: string,
  limit: number,
  seen: Seen,
): Promise<Page<Session, string>> {
  const { answers } = await reads.run([["ids", index, low, high, String(limit), "up"], SESSIONS_OF]);
  const ids = strings(answers[0]);
  const page = seenSessions(seen, ids, lists(answers[1])).map(sessionOf);
  return { page, next: ids.length < limit ? undefined : ids.at(-1) };
}

/** Sessions of an index from a bound on, the oldest first. */
async function createdBefore(
  reads: Reads,
  index: string,
  low: string,
  createdBeforeMs: number,
  limit: number,
  seen: Seen,
): Promise<readonly Session[]> {
  return (await creationPage(reads, index, low, LEX.before(sessionIdFloor(createdBeforeMs)), limit, seen)).page;
}

/** Pages that one call passes over: another call goes on. */
const MAX_PASSED = 10;

/**
 * Up to the place in `meta` nothing is left to be forgotten. A page is passed once that shows: a place that moved on with
 * the forgetting would be lost with a conflict. A place far past the end is of a clock that was ahead, or of a shorter
 * retention: then all are looked at again.
 */
async function withDetails(
  reads: Reads,
  forgotten: NotesOfWalks["detailsForgotten"],
  { createdBeforeMs, limit }: OldestSessions,
  seen: Seen,
): Promise<readonly Session[]> {
  const { answers } = await reads.run([["fields", KEYS.meta, "1", DETAILS_FORGOTTEN]]);
  const [, stored] = strings(answers[0]);
  let place = stored !== undefined && stored < sessionIdCeiling(sessionIdFloor(createdBeforeMs)) ? stored : undefined;
  for (let passed = 0; ; passed++) {
    const low = place === undefined ? LEX.first : LEX.after(place);
    const seenInPage: Seen = new Map();
    const page = await createdBefore(reads, KEYS.sessions, low, createdBeforeMs, limit, seenInPage);
    const last = page.at(-1);
    if (last === undefined || page.some(knowsClient)) {
      for (const [name, version] of seenInPage) seen.set(name, version);
      return page;
    }
    place = last.id;
    await forgotten(place);
    if (passed === MAX_PASSED) return page;
  }
}

const knowsClient = ({ metadata }: Session): boolean => metadata.ip !== null || metadata.userAgent !== null;

/** What walks note on their way, beside what is decided on their pages. */
export interface NotesOfWalks {
  readonly indexAnew: IndexAnew;
  /** No session up to this one has an address or a user agent any more. */
  readonly detailsForgotten: (upTo: string) => Promise<void>;
}

/** In `meta`. */
export const DETAILS_FORGOTTEN = "detailsForgotten";

/** Files sessions under when they were active last, where that is later than what they are filed under. */
export type IndexAnew = (planId: number, late: readonly SessionRecord[], seen: Seen) => Promise<void>;

/** Activity does not move a session in its index: this walk does, and passes over it until it comes to its new place. */
async function byActivity(
  reads: Reads,
  indexAnew: IndexAnew,
  { planId, untilMs, after, limit }: PageOfPlan<ActivityCursor>,
  seen: Seen,
): Promise<Page<SessionRecord, ActivityCursor>> {
  const [afterMs, afterId] = after === undefined ? ["", ""] : [String(after[0]), after[1]];
  const wanted = ["active", keyOf.active(planId), afterMs, afterId, String(untilMs), String(limit)];
  const { answers } = await reads.run([wanted, RECORDS_OF]);
  const entries = pairsIn(strings(answers[0])).map(([id, ms]): ActivityCursor => [Number(ms), id]);
  const indexedAt = new Map(entries.map(([ms, id]) => [id, ms]));
  const isInPlace = (one: SessionRecord): boolean => activeSession(one).lastActivity === indexedAt.get(one.session.id);
  const found = seenSessions(seen, [...indexedAt.keys()], lists(answers[1]));
  const late = found.filter((one) => !isInPlace(one));
  if (late.length > 0) await indexAnew(planId, late, seen);
  return { page: found.filter(isInPlace), next: entries.length < limit ? undefined : entries.at(-1) };
}
