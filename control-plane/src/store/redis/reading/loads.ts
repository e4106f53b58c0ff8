// What decisions are made on, as it stands in the store; each names what it looked at.
import type { Loads } from "../../../app/ports/update-ports.js";
import { unownedKey } from "../../../domain/idempotency-key.js";
import { peersIn } from "../../../domain/issued-by.js";
import type { Peers } from "../../../domain/issued-by.js";
import { sessionIdCeiling } from "../../../domain/session-id.js";
import type { Session } from "../../../domain/session.js";
import { activeSession } from "../../../domain/stored.js";
import type { ConsumptionKey, CreationKey, StoredRevocation } from "../../../domain/stored.js";
import type { ReportedRow } from "../../../domain/decisions/reported-rows.js";
import type { SessionRecord } from "../../../domain/stored.js";
import { MAX_COUNTED } from "../../bounds.js";
import { userOfLimit } from "../../user-of-limit.js";
import { KEYS, keyOf } from "../keys.js";
import { rowField } from "../stored-forms.js";
import { LIFE, seenLife } from "./life-read.js";
import { note, seenSession, seenSessions, sessionOf } from "./named-reads.js";
import type { Seen } from "./named-reads.js";
import { pageLoads } from "./pages.js";
import type { NotesOfWalks } from "./pages.js";
import { LEX, lists, pairsIn, SESSIONS_OF, strings } from "./reads.js";
import type { Read, Reads } from "./reads.js";

type LoadsOfRedis = {
  readonly [Kind in keyof Loads]: (wanted: Loads[Kind]["wanted"], seen: Seen) => Promise<Loads[Kind]["found"]>;
};

export const loadsOf = (reads: Reads, notes: NotesOfWalks): LoadsOfRedis => ({
  session: async (id, seen) => {
    const { position, answers } = await reads.run([hashOf(id), LIFE]);
    const life = seenLife(seen, position, answers[1]);
    return { found: seenSession(seen, id, strings(answers[0])), position, life };
  },
  creation: (wanted, seen) => creation(reads, wanted, seen),
  planChange: async ({ sessionId, planId }, seen) => {
    const { answers } = await reads.run([hashOf(sessionId)]);
    const found = seenSession(seen, sessionId, strings(answers[0]));
    if (found === undefined) return { found, peers: [] };
    const peers = peersIn(planId, found.session);
    return { found, peers: seenPeers(seen, peers, (await reads.run(peersReads(peers))).answers) };
  },
  consumption: (wanted, seen) => consumption(reads, wanted, seen),
  report: (rows, seen) => reported(reads, rows, seen),
  leases: (ids, seen) => leased(reads, [...new Set(ids)], seen),
  newestSession: async (filter, seen) => {
    const key = keyOf.meantBy(filter);
    const { answers } = await reads.run([["ids", key, LEX.first, LEX.last, "1", "down"]]);
    const [newest] = strings(answers[0]);
    // The commit takes the newest of its own moment. Only where there is none it is decided on.
    if (newest === undefined) note(seen, ["count", key, "", "0"]);
    return newest;
  },
  revocationChunk: async ({ id, limit }, seen) => {
    const { answers } = await reads.run([["fields", KEYS.revocations, "1", id]]);
    const [, stored] = strings(answers[0]);
    note(seen, ["field", KEYS.revocations, id, stored ?? ""]);
    const operation = stored === undefined ? undefined : (JSON.parse(stored) as StoredRevocation);
    if (operation === undefined || operation.finishedAt !== null) return { operation, sessions: [] };
    const { filter, doneTo, upTo } = operation;
    const range = [LEX.after(doneTo), LEX.upTo(upTo), String(limit), "up"];
    const page = await reads.run([["ids", keyOf.meantBy(filter), ...range], SESSIONS_OF]);
    return { operation, sessions: sessionsIn(seen, page.answers) };
  },
  ...pageLoads(reads, notes),
});

const hashOf = (id: string): Read => ["hash", keyOf.session(id)];

const sessionsIn = (seen: Seen, [ids, hashes]: Awaited<ReturnType<Reads["run"]>>["answers"]): Session[] =>
  seenSessions(seen, strings(ids), lists(hashes)).map(sessionOf);

const keyOfPeers = ({ userId, planId, group }: Peers): string => keyOf.peers(planId, userOfLimit(userId, group));

const peersReads = (peers: Peers): Read[] => [
  ["ids", keyOfPeers(peers), LEX.first, LEX.last, String(MAX_COUNTED), "up"],
  SESSIONS_OF,
  ["count", keyOfPeers(peers)],
];

/**
 * Who leaves them is written itself, and has another version. So where none of them has, and they are as many as before,
 * nobody has joined them either.
 */
function seenPeers(
  seen: Seen,
  peers: Peers,
  [ids, hashes, count]: Awaited<ReturnType<Reads["run"]>>["answers"],
): Session[] {
  note(seen, ["count", keyOfPeers(peers), "", String(count)]);
  return sessionsIn(seen, [ids ?? [], hashes ?? []]);
}

async function creation(
  reads: Reads,
  { sessionId, key, peers }: Loads["creation"]["wanted"],
  seen: Seen,
): Promise<Loads["creation"]["found"]> {
  const { answers } = await reads.run([
    ["fields", keyOf.session(sessionId), "2", "v", "session"],
    ["ids", KEYS.sessions, LEX.first, LEX.before(sessionIdCeiling(sessionId)), "1", "down"],
    keyRead(KEYS.created, key),
    ...(peers === null ? [] : peersReads(peers)),
  ]);
  const [own, newest, kept, ...ofPeers] = answers;
  const made = key === null ? undefined : (seenKey(seen, KEYS.created, key, strings(kept)) as CreationKey | undefined);
  return {
    exists: seenSession(seen, sessionId, strings(own)) !== undefined,
    newestId: strings(newest)[0],
    made,
    madeSession: made && (await madeSession(reads, made.sessionId, seen)),
    peers: peers === null ? [] : seenPeers(seen, peers, ofPeers),
  };
}

async function madeSession(reads: Reads, id: string, seen: Seen): Promise<Session | undefined> {
  const { answers } = await reads.run([hashOf(id)]);
  const found = seenSession(seen, id, strings(answers[0]));
  return found && activeSession(found);
}

/** Under the key, and under what it was before keys had owners. */
const keyRead = (hash: string, key: string | null): Read => {
  const names = key === null ? [""] : [key, ...[unownedKey(key) ?? []].flat()];
  return ["fields", hash, String(names.length), ...names];
};

function seenKey(seen: Seen, hash: string, key: string, fields: readonly string[]): unknown {
  const found = new Map(pairsIn(fields));
  note(seen, ["field", hash, key, found.get(key) ?? ""]);
  const stored = found.get(key) ?? found.get(unownedKey(key) ?? key);
  return stored === undefined ? undefined : JSON.parse(stored);
}

async function consumption(
  reads: Reads,
  { sessionId, key }: Loads["consumption"]["wanted"],
  seen: Seen,
): Promise<Loads["consumption"]["found"]> {
  const hash = keyOf.consumptions(sessionId);
  const { answers } = await reads.run([["fields", keyOf.session(sessionId), "2", "v", "session"], keyRead(hash, key)]);
  return {
    session: seenSession(seen, sessionId, strings(answers[0]))?.session,
    earlier: key === null ? undefined : (seenKey(seen, hash, key, strings(answers[1])) as ConsumptionKey | undefined),
  };
}

/** Each session with the rows that are reported, or with all where one of these is not stored yet. */
async function reported(
  reads: Reads,
  rows: readonly ReportedRow[],
  seen: Seen,
): Promise<ReadonlyMap<string, SessionRecord>> {
  const fields = new Map<string, Set<string>>();
  for (const row of rows) {
    const names = fields.get(row.sessionId) ?? new Set(["session", "v"]);
    fields.set(row.sessionId, names.add(rowField(row)));
  }
  const { answers } = await reads.run(
    [...fields].map(([id, names]) => ["rows", keyOf.session(id), String(names.size), ...names]),
  );
  const found = new Map<string, SessionRecord>();
  [...fields.keys()].forEach((id, i) => {
    const stored = seenSession(seen, id, strings(answers[i]));
    if (stored !== undefined) found.set(id, stored);
  });
  return found;
}

/** All of each session: its rows say what was left before it came under a fleet budget. */
async function leased(reads: Reads, ids: readonly string[], seen: Seen): Promise<Loads["leases"]["found"]> {
  const { position, answers } = await reads.run([LIFE, ...ids.map(hashOf)]);
  const [life, ...hashes] = answers;
  const records = seenSessions(seen, ids, hashes.map(strings));
  const found = new Map(records.map((one) => [one.session.id, one]));
  return { found, position, life: seenLife(seen, position, life) };
}
