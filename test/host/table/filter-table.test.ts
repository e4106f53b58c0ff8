// The session table: making room in a full set, its capacity, its keys, and what an invalidated or re-issued token finds.
import { describe, expect, it } from "vitest";
import { ANSWER_VALID_MS, RECORDS_PER_SET, TABLE_LAYOUT_VERSION } from "../../../assembly/contract.js";
import {
  MAX_AGE_MS,
  OTHER_SECRET,
  SECRET,
  endedAnswer,
  policy,
  reportAnswer,
  settings,
} from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { Random } from "../harness/host/random.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";
import { TokenMint, type Session } from "../harness/scenes/tokens.js";

const KEY_BYTES = 12;
const INVENTED_SESSIONS = 3000;

/** 17 sessions of one set, the first 16 of them in the table, each a millisecond younger than the one before. */
function fullSet(edge: Edge): { inTable: Session[]; newSession: Session } {
  const sessions = sessionsOfOneSet(edge, RECORDS_PER_SET + 1);
  const newSession = sessions.pop();
  if (newSession === undefined) throw new Error("a new entry is needed");
  for (const session of sessions) {
    edge.send(session);
    edge.answerLive();
    edge.clock.advanceMs(1);
  }
  expect(edge.table.setKeys()).toHaveLength(1);
  expect(edge.table.records()).toHaveLength(RECORDS_PER_SET);
  return { inTable: sessions, newSession };
}

describe("a set that is full", () => {
  it.each([
    ["deny", 503],
    ["allow", 200],
  ])("a full set of dirty records answers a new one with %s: %i, and counts it", (onTableFull, status) => {
    const edge = new Edge({ policy: policy({ onTableFull }) });
    const { inTable, newSession } = fullSet(edge);
    edge.clock.advanceMs(MAX_AGE_MS * 2);
    const waiting = edge.send(newSession);
    edge.answerLive();
    expect(waiting.status).toBe(status);
    expect(inTable.every((session) => edge.table.record(session.id) !== undefined)).toBe(true);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_table_full_total")).toBe(1);
  });

  it("a full set evicts the reported session that was idle longest, and counts it", () => {
    const edge = new Edge();
    const { inTable, newSession } = fullSet(edge);
    edge.takeReports();
    const waiting = edge.send(newSession);
    edge.answerLive();
    expect(waiting.status).toBe(200);
    const gone = inTable.filter((session) => edge.table.record(session.id) === undefined);
    expect(gone).toEqual([inTable[0]]);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_table_evictions_total")).toBe(1);
    expect(edge.table.records()).toHaveLength(RECORDS_PER_SET);
  });

  it("a full set keeps a session that spent again after its report, however idle", () => {
    const edge = new Edge();
    const { inTable, newSession } = fullSet(edge);
    edge.takeReports();
    const [first, second] = inTable;
    if (first === undefined || second === undefined) throw new Error("two sessions are needed");
    edge.send(first);
    edge.clock.advanceMs(ANSWER_VALID_MS + 1);
    for (const other of inTable.slice(2)) edge.send(other);
    edge.send(newSession);
    edge.answerLive();
    expect(edge.table.record(first.id)?.live).toBe(true);
    expect(edge.table.record(second.id)).toBeUndefined();
  });

  it("a full set keeps sessions that were touched within 5 s", () => {
    const edge = new Edge();
    const { newSession } = fullSet(edge);
    edge.flush();
    edge.report.answer(200, reportAnswer());
    expect(edge.table.records().every((record) => record.rev === record.ackedRev)).toBe(true);
    const early = edge.send(newSession);
    edge.answerLive();
    expect(early.status).toBe(503);
    edge.clock.advanceMs(ANSWER_VALID_MS);
    const later = edge.send(newSession);
    edge.answerLive();
    expect(later.status).toBe(200);
  });

  it("a full set reports what blocks a new entry at the next tick, and has room then", () => {
    const edge = new Edge({ workers: 2 });
    const { newSession } = fullSet(edge);
    edge.flush();
    for (const report of edge.pendingReports) report.timeOut();
    edge.clock.advanceMs(ANSWER_VALID_MS + 1);
    const denied = edge.send(newSession, 1);
    edge.answerLive();
    expect(denied.status).toBe(503);
    edge.worker(1).tick();
    expect((edge.report.json as { usage: unknown[] }).usage).toHaveLength(RECORDS_PER_SET);
    edge.report.answer(200, reportAnswer());
    const waiting = edge.send(newSession, 1);
    edge.answerLive();
    expect(waiting.status).toBe(200);
  });

  it("a full set evicts a session that ended before one that is idle", () => {
    const edge = new Edge();
    const { inTable, newSession } = fullSet(edge);
    const [, , , revoked] = inTable;
    if (revoked === undefined) throw new Error("a session is needed");
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    edge.send(revoked);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.takeReports();
    edge.send(newSession);
    edge.answerLive();
    const gone = inTable.filter((session) => edge.table.record(session.id) === undefined);
    expect(gone).toEqual([revoked]);
  });

  it("a full set keeps unverified sessions, however long they are idle", () => {
    const edge = new Edge({ policy: policy({ onMiss: "trust", onTableFull: "deny" }) });
    const sessions = sessionsOfOneSet(edge, RECORDS_PER_SET + 1);
    const statuses = sessions.map((session) => {
      edge.clock.advanceMs(ANSWER_VALID_MS);
      return edge.send(session).status;
    });
    edge.clock.advanceMs(MAX_AGE_MS * 2);
    expect(statuses.filter((status) => status === 200)).toHaveLength(RECORDS_PER_SET);
    const [last] = sessions.slice(-1);
    expect(last === undefined ? 0 : edge.send(last).status).toBe(503);
  });

  it("a full set denies an ended session, though it has no room to remember it", () => {
    const edge = new Edge({ policy: policy({ onTableFull: "allow" }) });
    const { newSession } = fullSet(edge);
    const waiting = edge.send(newSession);
    edge.callout.answer(200, endedAnswer("revoked"));
    expect(waiting.status).toBe(401);
  });
});

describe("the table", () => {
  it("the table never holds more than its capacity, whatever is sent", () => {
    const edge = new Edge({ policy: policy({ onMiss: "trust" }) });
    for (let i = 0; i < INVENTED_SESSIONS; i++) edge.send(edge.newSession());
    expect(edge.table.setKeys().length).toBeLessThanOrEqual(1024 / RECORDS_PER_SET);
    expect(edge.table.records().length).toBeLessThanOrEqual(1024);
    expect(edge.table.records().length).toBeGreaterThan(900);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_table_records")).toBe(edge.table.records().length);
  });

  it("the table has keys of 12 bytes with its layout's version", () => {
    const edge = new Edge();
    edge.sessionInTable();
    for (const key of edge.host.sharedData.keys()) {
      expect(key).toHaveLength(KEY_BYTES);
      expect(key.slice(0, 4)).toBe(`slc${String.fromCharCode(TABLE_LAYOUT_VERSION)}`);
    }
  });

  it("a table of one name knows nothing of another's sessions", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    edge.worker(0).configure(settings(policy(), { table: { name: "other", capacity: 1024 } }));
    expect(edge.send(session).paused).toBe(true);
  });

  it("the table keeps its running capacity when a policy names another, and says so", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    expect(edge.worker(0).configure(settings(policy(), { table: { capacity: 4096 } }))).toBe(true);
    expect(edge.send(session).status).toBe(200);
    expect(edge.host.messages("warn").join()).toMatch(/4096.*restarts/);
    expect(edge.host.metrics.sum("sluice_table_capacity")).toBe(1024);
  });

  it("no key, value, log line or metric shows a secret or a credential", () => {
    const edge = new Edge();
    edge.sessionInTable();
    edge.flush();
    const values = edge.host.sharedData.keys().map((key) => Buffer.from(edge.host.sharedData.get(key)?.value ?? []));
    const everything = [...edge.host.sharedData.keys(), ...edge.host.messages(), ...edge.host.metrics.names()].join();
    for (const text of [SECRET, edge.mint.edgeCredential]) expect(everything).not.toContain(text);
    expect(Buffer.concat(values).includes(Buffer.from(SECRET, "hex"))).toBe(false);
  });
});

describe("tokens of other keys and other bytes", () => {
  it("a re-issued token finds its session's bucket, and replaces the old one", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 5 });
    const reissued = edge.mint.mint(edge.clock.wallMs, 9, session.id);
    expect(edge.send(reissued).status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ token: reissued.token, planId: 0, levelTokens: 4 });
    expect(edge.send(session).status).toBe(200);
    expect(edge.acquires).toHaveLength(1);
  });

  it("a second secret is accepted; a removed one is denied also for known sessions", () => {
    const both = new Edge({ secret: SECRET, secretAlso: OTHER_SECRET });
    const old = new TokenMint(OTHER_SECRET, new Random(3)).mint(both.clock.wallMs);
    both.send(old);
    both.answerLive();
    expect(both.send(old).status).toBe(200);
    const restarted = new Edge({ secret: SECRET });
    for (const key of both.host.sharedData.keys()) {
      restarted.host.sharedData.set(key, both.host.sharedData.get(key)?.value ?? new Uint8Array(), 0);
    }
    expect(restarted.table.record(old.id)?.live).toBe(true);
    expect(restarted.send(old).status).toBe(401);
    expect(restarted.acquires).toHaveLength(0);
  });
});
