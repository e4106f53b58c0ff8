// Open streams of a session that the table is not sure of: the control plane is asked, now and then.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import {
  endedAnswer,
  liveAnswer,
  MAX_AGE_MS,
  plan,
  policy,
  REPORT_INTERVAL_MS,
  reportAnswer,
  settings,
} from "../harness/scenes/documents.js";
import { answerAll, sessionsOf } from "../harness/scenes/batches.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";
import type { Session } from "../harness/scenes/tokens.js";
import {
  contextsEntered,
  LOOKED_AT_MS,
  LOOKS_A_TICK,
  openStream,
  revoke,
  sessionWithStream,
  streamThatLeft,
} from "../harness/scenes/open-streams.js";

/** What the control plane allows an edge to be late with before a session is idle. */
const GRACE_MS = 2 * REPORT_INTERVAL_MS + 10_000;
/** A stream without a record is asked about no more often. */
const ASK_AGAIN_MS = 30_000;

describe("a stream whose session the table is not sure of", () => {
  it("a stream that is all that its session does is asked about past the idle limit", () => {
    const edge = new Edge();
    const { stream } = sessionWithStream(edge);
    edge.passMs(MAX_AGE_MS + GRACE_MS - LOOKED_AT_MS);
    expect(edge.pendingAcquires).toHaveLength(0);
    edge.passMs(2000);
    edge.callout.answer(200, endedAnswer("expired", 0));
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a session that another edge still sees keeps its stream, and is asked about once", () => {
    const edge = new Edge();
    const { stream } = sessionWithStream(edge);
    edge.passMs(MAX_AGE_MS + GRACE_MS + 1000);
    const before = edge.acquires.length;
    edge.callout.answer(200, liveAnswer());
    edge.passMs(MAX_AGE_MS);
    expect(edge.acquires).toHaveLength(before);
    expect(stream.state).toBe("streaming");
  });

  it("a session that a report found ended is asked about, and its stream ends", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.clock.advanceMs(REPORT_INTERVAL_MS);
    edge.flush();
    edge.report.answer(200, reportAnswer([session.id]));
    edge.passMs(200);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a stream whose record was evicted is asked about as a miss is, and ends by the answer", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.passMs(200);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a stream ends by the answer also where the full set has no room to say so", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.passMs(200);
    // Each slot is another live session's now.
    edge.table.fillEmptySlots();
    edge.callout.answer(200, endedAnswer("revoked"));
    expect(edge.table.record(session.id)).toBeUndefined();
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a stream whose session the full table has no room for ends within 30 s of the revocation", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.passMs(200);
    edge.table.fillEmptySlots();
    edge.answerLive();
    expect(edge.table.record(session.id)).toBeUndefined();
    revoke(edge, session);
    edge.passMs(ASK_AGAIN_MS - 2 * TICK_MS);
    expect([stream.state, edge.pendingAcquires.length]).toEqual(["streaming", 0]);
    edge.passMs(4 * TICK_MS);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.passMs(TICK_MS);
    expect(stream.state).toBe("closed");
  });

  it("an evicted session that lives has a record again, and its revocation ends the stream", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.passMs(200);
    edge.answerLive();
    expect(edge.table.record(session.id)?.live).toBe(true);
    revoke(edge, session);
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a stream goes on while the control plane is away, and ends once that is back", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    const before = edge.acquires.length;
    for (let seconds = 0; seconds < 60; seconds++) {
      edge.passMs(1000);
      for (const acquire of edge.pendingAcquires) acquire.timeOut();
    }
    expect(stream.state).toBe("streaming");
    // Every 30 s: it is no session that was admitted unverified.
    expect(edge.acquires.length - before).toBeLessThanOrEqual(3);
    edge.passMs(1000);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a stream let through by a full set is asked about a second after that, not sooner", () => {
    const edge = new Edge({ policy: policy({ onTableFull: "allow", controlPlane: { acquireTimeout: 4000 } }) });
    const [first, unmetered] = sessionsOfOneSet(edge, 2) as [Session, Session];
    edge.send(first);
    edge.answerLive();
    edge.table.fillEmptySlots();
    const stream = edge.worker(0).open(requestWith(unmetered));
    edge.clock.advanceMs(2000);
    edge.answerLive();
    expect(stream.reachedUpstream).toBe(true);
    edge.passMs(LOOKED_AT_MS - TICK_MS);
    expect(edge.pendingAcquires).toHaveLength(0);
    edge.passMs(TICK_MS);
    expect(sessionsOf(edge.callout)).toEqual([unmetered.id]);
  });

  it("a worker asks about 128 sessions of streams at a time, each once", () => {
    const edge = new Edge({ settings: { table: { capacity: 16_384 } } });
    const sessions = Array.from({ length: 200 }, () => edge.sessionInTable());
    for (const session of sessions) openStream(session, edge.worker(0));
    edge.clock.advanceMs(LOOKED_AT_MS);
    for (const { id } of sessions) edge.table.patch(id, (record) => record.fill(0));
    const askedFor = (): string[] => edge.pendingAcquires.flatMap((acquire) => sessionsOf(acquire));
    edge.flush();
    edge.flush();
    expect(askedFor()).toHaveLength(128);
    expect(new Set(askedFor()).size).toBe(128);
  });
});

describe("a worker that asks about as many sessions as it can", () => {
  it("1,024 requests and 128 streams are asked about at once, and all go on by their answers", () => {
    const edge = new Edge({ settings: { table: { capacity: 16_384 } } });
    const evicted = Array.from({ length: 130 }, () => edge.sessionInTable());
    const open = evicted.map((session) => openStream(session, edge.worker(0)));
    edge.clock.advanceMs(LOOKED_AT_MS);
    for (const { id } of evicted) edge.table.patch(id, (record) => record.fill(0));
    const before = edge.acquires.length;
    const waiting = Array.from({ length: 1024 }, () => edge.send(edge.newSession()));
    edge.flush();
    const [late, later] = [edge.send(edge.newSession()), edge.send(evicted[0] as Session)];
    expect([late.status, later.status]).toEqual([503, 503]);
    edge.flush();
    answerAll(edge, () => liveAnswer());
    const asked = edge.acquires.slice(before).flatMap((acquire) => sessionsOf(acquire));
    expect([asked.length, new Set(asked).size]).toEqual([1024 + 128, 1024 + 128]);
    expect(new Set(waiting.map(({ status }) => status))).toEqual(new Set([200]));
    edge.flush();
    answerAll(edge, () => liveAnswer());
    const inTable = new Set(edge.table.records().map(({ id }) => id));
    expect(evicted.filter(({ id }) => !inTable.has(id))).toEqual([]);
    expect(new Set(open.map(({ state }) => state))).toEqual(new Set(["streaming"]));
  });
});

describe("open streams under two tables of one worker", () => {
  it("a stream is asked about wherever it stands among those of the other table", () => {
    const document = policy({ plans: [plan({ maxTokens: 9_000_000 })] });
    const edge = new Edge({ policy: document });
    const [steady, evicted] = [edge.sessionInTable({ tokens: 1000 }), edge.sessionInTable()];
    // Each of the two roots looks at as many a tick: in turns, one would have this half and the other that.
    for (let n = 0; n < LOOKS_A_TICK; n++) openStream(steady, edge.worker(0));
    openStream(evicted, edge.worker(0));
    edge.worker(0).configure(settings(document, { table: { name: "other", capacity: 1024 } }));
    const elsewhere = edge.sessionInTable({ tokens: 1000 });
    for (let n = 1; n < LOOKS_A_TICK; n++) openStream(elsewhere, edge.worker(0));
    edge.clock.advanceMs(LOOKED_AT_MS);
    edge.table.patch(evicted.id, (record) => record.fill(0));
    edge.passMs(4 * TICK_MS);
    expect(edge.pendingAcquires.flatMap((acquire) => sessionsOf(acquire))).toEqual([evicted.id]);
  });

  it("a stream is looked at by its own table's settings alone", () => {
    const edge = new Edge();
    const [vm, session] = [edge.worker(0), edge.sessionInTable()];
    const stream = openStream(session, vm);
    vm.configure(settings(policy(), { table: { name: "other", capacity: 1024 } }));
    const elsewhere = openStream(edge.sessionInTable(), vm);
    edge.clock.advanceMs(LOOKED_AT_MS);
    const contexts = contextsEntered(edge);
    edge.flush();
    const [first, second] = vm.roots().map(({ id }) => id);
    expect(contexts).toEqual([stream.id, first, elsewhere.id, second]);
  });

  it("a stream that nobody told the end of is forgotten also where its settings are gone", () => {
    const edge = new Edge();
    const { stream } = streamThatLeft(edge);
    const vm = edge.worker(0);
    stream.root.streams.delete(stream);
    vm.configure(settings(policy(), { table: { name: "other", capacity: 1024 } }));
    expect(vm.roots()).toHaveLength(1);
    const contexts = contextsEntered(edge);
    edge.passMs(LOOKED_AT_MS + 500);
    expect(contexts).toEqual([stream.id]);
  });
});
