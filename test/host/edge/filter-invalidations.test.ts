// What a watch brings: a revocation is in force on every worker at once, a refresh makes the next request ask.
import { describe, expect, it } from "vitest";
import { SWEEP_ROUND_TICKS, TICK_MS } from "../../../assembly/contract.js";
import { logCursorOf } from "../harness/scenes/edge-keys.js";
import { CURSOR, LOG, endedAnswer, liveAnswer, reportAnswer, watchAnswer } from "../harness/scenes/documents.js";
import { watchedEdge } from "../harness/scenes/watched-edge.js";

describe("a revocation", () => {
  it("a revocation is in force on every worker with the answer to the watch", () => {
    const edge = watchedEdge(3);
    const session = edge.sessionInTable();
    const asked = edge.acquires.length;
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    expect([0, 1, 2].map((worker) => edge.send(session, worker).status)).toEqual([401, 401, 401]);
    expect(edge.acquires).toHaveLength(asked);
  });

  it("a revocation stays in force whatever is said of the session afterwards", () => {
    const edge = watchedEdge();
    const session = edge.sessionInTable();
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    edge.watch.answer(200, watchAnswer({ refresh: [session.id], cursor: CURSOR + 2 }));
    edge.watch.answer(200, watchAnswer({ revoked: [session.id], cursor: CURSOR + 3 }));
    edge.flush();
    edge.pendingReports[0]?.answer(200, reportAnswer([session.id]));
    expect(edge.send(session).status).toBe(401);
    expect(edge.table.record(session.id)).toMatchObject({ live: false, refresh: false });
  });

  it("a revocation makes no record for a session that the edge does not have", () => {
    const edge = watchedEdge();
    const before = edge.table.records().length;
    edge.watch.answer(200, watchAnswer({ revoked: [edge.newSession().id], refresh: [edge.newSession().id] }));
    expect(edge.table.records()).toHaveLength(before);
    expect(edge.table.setKeys()).toHaveLength(1);
  });

  it("a revocation ends an unverified session at once and asks for its figures", () => {
    const edge = watchedEdge();
    const session = edge.newSession();
    edge.send(session);
    edge.callout.timeOut();
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    expect(edge.table.record(session.id)).toMatchObject({ live: false, provisional: true, consumed: 1 });
    expect(edge.send(session).status).toBe(401);
    for (let tick = 0; tick < SWEEP_ROUND_TICKS && edge.pendingAcquires.length === 0; tick++) edge.passMs(TICK_MS);
    const had = { ...{ state: "revoked", endsInMs: 60_000, log: LOG, cursor: CURSOR + 1 }, consumed: 20, rev: 11 };
    edge.callout.answer(200, JSON.stringify(had));
    expect(edge.table.record(session.id)).toMatchObject({
      live: false,
      provisional: false,
      consumed: 21,
      ackedRev: 11,
    });
    expect(edge.send(session).status).toBe(401);
  });

  it("an older positive answer does not undo an unverified session's revocation", () => {
    const edge = watchedEdge();
    const session = edge.newSession();
    edge.send(session);
    edge.callout.timeOut();
    edge.passMs(2000);
    const late = edge.callout;
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    late.answer(200, liveAnswer({ cursor: CURSOR + 1 }));
    expect(edge.table.record(session.id)?.live).toBe(false);
    expect(edge.send(session).status).toBe(401);
  });

  it("a revocation in an acquire's answer is in force; the watch has no news then", () => {
    const edge = watchedEdge();
    const session = edge.newSession();
    edge.send(session);
    edge.callout.answer(200, endedAnswer("revoked", 60_000, CURSOR + 5));
    expect(logCursorOf(edge.host.sharedData)).toMatchObject({ cursor: CURSOR, seen: CURSOR + 5 });
  });
});

describe("a refresh", () => {
  it("a refresh makes the session's next request ask, on any worker", () => {
    const edge = watchedEdge(2);
    const session = edge.sessionInTable({ tokens: 4 });
    edge.watch.answer(200, watchAnswer({ refresh: [session.id] }));
    const waiting = edge.send(session, 1);
    expect(edge.callout.json).toMatchObject({ session: session.id });
    edge.answerLive({ tokens: 10, cursor: CURSOR + 1 });
    expect(waiting.status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 3, refresh: false });
  });

  it("a refresh is not undone by an older answer: the session is asked about again", () => {
    const edge = watchedEdge();
    const session = edge.sessionInTable({ tokens: 4 });
    edge.watch.answer(200, watchAnswer({ refresh: [session.id] }));
    const waiting = edge.send(session);
    edge.answerLive({ cursor: CURSOR });
    expect(waiting.paused).toBe(true);
    expect(edge.table.record(session.id)?.refresh).toBe(true);
    edge.answerLive({ cursor: CURSOR + 1 });
    expect(waiting.status).toBe(200);
  });
});
