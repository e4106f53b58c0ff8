// What decisions are made on, as it stands in plain maps.
import type { ActivityCursor, Loads, PageOfPlan } from "../../app/ports/update-ports.js";
import { peersIn } from "../../domain/issued-by.js";
import { hasEndedForGood } from "../../domain/session.js";
import type { Session } from "../../domain/session.js";
import { sessionIdCeiling, sessionIdFloor } from "../../domain/session-id.js";
import { activeSession } from "../../domain/stored.js";
import type { RevocationFilter, SessionRecord } from "../../domain/stored.js";
import { NamedReads } from "./named-reads.js";
import { recordOf, versionOf } from "./records.js";
import type { MemoryRecords } from "./records.js";

type LoadsOfMemory = { readonly [Kind in keyof Loads]: (wanted: Loads[Kind]["wanted"]) => Loads[Kind]["found"] };
type LoadsOf<Kind extends keyof Loads> = Pick<LoadsOfMemory, Kind>;

/** @param look called with the name of each thing that is looked at */
export function loadsOf(records: MemoryRecords, look: (name: string) => void): LoadsOfMemory {
  const reads = new NamedReads(records, look);
  return { ...loadsOfOne(reads), ...loadsOfMany(reads), ...loadsOfRevocations(reads), ...pagesOf(reads) };
}

function loadsOfOne(reads: NamedReads): LoadsOf<"session" | "creation" | "planChange" | "consumption"> {
  return {
    session: (id) => ({ found: reads.record(id), position: reads.records.log.now(), life: reads.life() }),
    creation: ({ sessionId, key, peers }) => {
      const made = key === null ? undefined : reads.creationKey(key);
      const makes = made && reads.record(made.sessionId);
      return {
        newestId: newestBelow(sessionIdCeiling(sessionId), reads.records.sessions.keys()),
        ...{ exists: reads.find(sessionId) !== undefined, made, madeSession: makes && activeSession(makes) },
        peers: peers === null ? [] : reads.peers(peers),
      };
    },
    planChange: ({ sessionId, planId }) => {
      const found = reads.record(sessionId);
      return { found, peers: found === undefined ? [] : reads.peers(peersIn(planId, found.session)) };
    },
    consumption: ({ sessionId, key }) => {
      const stored = reads.find(sessionId);
      return { session: stored?.session, earlier: key === null ? undefined : stored?.consumptionKeys.get(key) };
    },
  };
}

function loadsOfMany(reads: NamedReads): LoadsOf<"report" | "leases"> {
  const records = (ids: readonly string[]): ReadonlyMap<string, SessionRecord> => {
    const found = new Map<string, SessionRecord>();
    for (const id of ids) {
      const one = reads.record(id);
      if (one !== undefined) found.set(id, one);
    }
    return found;
  };
  return {
    report: (rows) => records(rows.map(({ sessionId }) => sessionId)),
    leases: (ids) => ({ found: records(ids), position: reads.records.log.now(), life: reads.life() }),
  };
}

function loadsOfRevocations(reads: NamedReads): LoadsOf<"newestSession" | "revocationChunk"> {
  return {
    newestSession: (filter) => {
      reads.look("userId" in filter ? versionOf.user(filter.userId) : versionOf.org(filter.orgId));
      return reads.those((one) => isMeant(one, filter)).at(-1)?.id;
    },
    revocationChunk: ({ id, limit }) => {
      const operation = reads.revocation(id);
      if (operation === undefined || operation.finishedAt !== null) return { operation, sessions: [] };
      const { filter, doneTo, upTo } = operation;
      const next = reads.those((one) => isMeant(one, filter) && one.id > doneTo && one.id <= upTo);
      return { operation, sessions: reads.named(next.slice(0, limit)) };
    },
  };
}

function pagesOf(reads: NamedReads): LoadsOf<"byActivity" | "byCreation" | "createdAfter" | "ended" | "withDetails"> {
  return {
    byActivity: (wanted) => {
      const found = pageByActivity([...reads.records.sessions.values()].map(recordOf), wanted);
      reads.named(found.page.map(({ session }) => session));
      return found;
    },
    byCreation: ({ planId, untilMs, after = "", limit }) => {
      const found = reads.those((one) => one.plan.id === planId && !hasEndedForGood(one) && one.id > after);
      const page = reads.named(found.filter(({ createdAt }) => createdAt <= untilMs).slice(0, limit));
      return { page, next: page.length < limit ? undefined : page.at(-1)?.id };
    },
    createdAfter: ({ createdAfterMs, after, limit }) => {
      const floor = sessionIdFloor(createdAfterMs);
      const found = reads.those(({ id }) => id >= floor && id > (after ?? "")).slice(0, limit);
      return { page: reads.named(found), next: found.length < limit ? undefined : found.at(-1)?.id };
    },
    ended: ({ createdBeforeMs, limit }) =>
      reads.named(reads.those((one) => hasEndedForGood(one) && one.createdAt < createdBeforeMs).slice(0, limit)),
    withDetails: ({ createdBeforeMs, limit }) => {
      const known = ({ metadata }: Session): boolean => metadata.ip !== null || metadata.userAgent !== null;
      return reads.named(reads.those((one) => known(one) && one.createdAt < createdBeforeMs).slice(0, limit));
    },
  };
}

/** Whether it still stands does not matter: of two sessions that are made at once, either may be the newer one. */
function newestBelow(ceiling: string, ids: Iterable<string>): string | undefined {
  let newest: string | undefined;
  for (const id of ids) if (id < ceiling && (newest === undefined || id > newest)) newest = id;
  return newest;
}

const isMeant = (session: Session, filter: RevocationFilter): boolean =>
  "userId" in filter ? session.userId === filter.userId : session.orgId === filter.orgId;

function pageByActivity(
  records: readonly SessionRecord[],
  { planId, untilMs, after, limit }: PageOfPlan<ActivityCursor>,
): Loads["byActivity"]["found"] {
  const cursorOf = (record: SessionRecord): ActivityCursor => [activeSession(record).lastActivity, record.session.id];
  const isAfter = ([ms, id]: ActivityCursor, [otherMs, otherId]: ActivityCursor): boolean =>
    ms > otherMs || (ms === otherMs && id > otherId);
  const page = records
    .filter(({ session }) => session.plan.id === planId && !hasEndedForGood(session))
    .filter((record) => cursorOf(record)[0] <= untilMs && (after === undefined || isAfter(cursorOf(record), after)))
    .sort((a, b) => (isAfter(cursorOf(a), cursorOf(b)) ? 1 : -1))
    .slice(0, limit);
  const last = page.at(-1);
  return { page, next: last === undefined || page.length < limit ? undefined : cursorOf(last) };
}
