// When the control plane cannot say what was invalidated since: every session is asked about again, slice by slice.
import { describe, expect, it } from "vitest";
import { LEADER_LEASE_MS, TICK_MS } from "../../../assembly/contract.js";
import { logCursorOf } from "../harness/scenes/edge-keys.js";
import {
  CURSOR,
  LOG,
  OTHER_LOG,
  endedAnswer,
  liveAnswer,
  plan,
  policy,
  reportAnswer,
  resetAnswer,
} from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import type { Session } from "../harness/scenes/tokens.js";

/** Sets that a tick rewrites. */
const SETS_A_TICK = 512;
const RESET_AT = 900;
const DONE = { log: OTHER_LOG, cursor: RESET_AT, seenLog: OTHER_LOG, seen: RESET_AT };

/** An edge with a session that was reported, whose control plane was restored from a backup. */
function resetEdge(onUnreachable = "deny"): { edge: Edge; session: Session } {
  const edge = new Edge({ policy: policy({ onUnreachable }) });
  const session = edge.sessionInTable({ tokens: 5 });
  edge.takeReports();
  edge.watch.answer(200, resetAnswer(RESET_AT));
  return { edge, session };
}

describe("a reset", () => {
  it("a reset is announced, carried out on ticks, and then the new log is followed", () => {
    const { edge, session } = resetEdge();
    expect(logCursorOf(edge.host.sharedData)).toEqual({ log: LOG, cursor: CURSOR, seenLog: OTHER_LOG, seen: RESET_AT });
    expect(edge.table.record(session.id)).toMatchObject({ refresh: false, unconfirmed: false });
    edge.passMs(TICK_MS);
    expect(logCursorOf(edge.host.sharedData)).toEqual(DONE);
    expect(edge.table.record(session.id)).toMatchObject({ refresh: true, unconfirmed: true, levelTokens: 5 });
    edge.passMs(TICK_MS);
    expect(edge.watch.json).toMatchObject({ log: OTHER_LOG, since: RESET_AT });
  });

  it("a reset rewrites a large table in slices, and leaves no set out", () => {
    const plans = [plan()];
    const edge = new Edge({ policy: policy({ plans, onMiss: "trust" }), settings: { table: { capacity: 65_536 } } });
    const sessions = Array.from({ length: 6000 }, () => edge.newSession());
    for (const session of sessions) edge.send(session);
    const sets = edge.table.setKeys().length;
    edge.flush();
    edge.pendingAcquires[0]?.answer(200, liveAnswer());
    edge.passMs(1000);
    edge.host.callouts.find((call) => call.state === "pending" && edge.watches.includes(call))?.answer(503);
    edge.passMs(1000);
    edge.watch.answer(200, resetAnswer(RESET_AT));
    let ticks = 0;
    const rewritten: number[] = [];
    while (logCursorOf(edge.host.sharedData)?.log !== OTHER_LOG && ticks < 100) {
      let writes = 0;
      const count = edge.host.hooks.each(
        "after",
        (call) => call.name === "proxy_set_shared_data" && edge.table.isSetKey(call.key),
        () => (writes += 1),
      );
      edge.passMs(TICK_MS);
      count();
      rewritten.push(writes);
      ticks += 1;
    }
    expect(Math.max(...rewritten)).toBeLessThanOrEqual(SETS_A_TICK);
    expect(ticks).toBeGreaterThan(sets / SETS_A_TICK);
    expect(edge.table.records().every((record) => record.unconfirmed)).toBe(true);
  });

  it("a reset within the same log follows when the edge was away for too long", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    edge.flush();
    edge.watch.answer(200, resetAnswer(RESET_AT, LOG));
    edge.passMs(TICK_MS);
    expect(logCursorOf(edge.host.sharedData)).toEqual({ log: LOG, cursor: RESET_AT, seenLog: LOG, seen: RESET_AT });
    expect(edge.table.record(session.id)).toMatchObject({ refresh: true, unconfirmed: true });
  });

  it("a reset keeps ended sessions ended", () => {
    const edge = new Edge();
    const session = edge.newSession();
    edge.send(session);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.sessionInTable();
    edge.flush();
    edge.watch.answer(200, resetAnswer(RESET_AT));
    edge.passMs(TICK_MS);
    expect(edge.send(session).status).toBe(401);
  });

  it("a reset makes all figures be reported anew, for the log may have lost them", () => {
    const { edge, session } = resetEdge();
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 1 });
    edge.passMs(TICK_MS);
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 0 });
    const before = edge.reports.length;
    for (let passed = 0; passed < 20_000; passed += 1000) {
      edge.passMs(1000);
      for (const report of edge.pendingReports) report.answer(200, reportAnswer([], OTHER_LOG));
    }
    const rows = edge.reports.slice(before).flatMap((report) => (report.json as { usage: unknown[][] }).usage);
    expect(rows.map((row) => row.slice(0, 3))).toEqual([[session.id, 1, 1]]);
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 1 });
  });

  it("a reset that loses its leader is done by the next one, from the first set", () => {
    const edge = new Edge({ workers: 2, settings: { table: { capacity: 65_536 } } });
    const sessions = Array.from({ length: 50 }, () => edge.sessionInTable());
    edge.worker(0).tick();
    edge.watch.answer(200, resetAnswer(RESET_AT));
    edge.clock.advanceMs(TICK_MS);
    edge.worker(0).tick();
    edge.clock.advanceMs(LEADER_LEASE_MS);
    edge.worker(1).tick();
    expect(edge.watch.json).toMatchObject({ log: LOG, since: CURSOR });
    edge.watch.answer(200, resetAnswer(RESET_AT + 5));
    edge.passMs(TICK_MS * 10);
    expect(logCursorOf(edge.host.sharedData)).toEqual({ ...DONE, cursor: RESET_AT + 5, seen: RESET_AT + 5 });
    expect(sessions.every((session) => edge.table.record(session.id)?.unconfirmed)).toBe(true);
  });

  it("a reset that comes again for the same cursor does no harm", () => {
    const { edge, session } = resetEdge();
    edge.passMs(TICK_MS * 2);
    edge.watch.answer(200, resetAnswer(RESET_AT));
    edge.passMs(TICK_MS * 2);
    expect(logCursorOf(edge.host.sharedData)).toEqual(DONE);
    expect(edge.table.record(session.id)).toMatchObject({ live: true, levelTokens: 5 });
  });
});

describe("after a reset", () => {
  it("a session after a reset asks with its next request, and keeps its level", () => {
    const { edge, session } = resetEdge();
    edge.passMs(TICK_MS);
    const waiting = edge.send(session);
    edge.answerLive({ tokens: 10, log: OTHER_LOG, cursor: RESET_AT });
    expect(waiting.status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 4, refresh: false, unconfirmed: false });
    expect(edge.send(session).status).toBe(200);
  });

  it("a session that was revoked before a reset is denied after it", () => {
    const { edge, session } = resetEdge();
    edge.passMs(TICK_MS);
    const waiting = edge.send(session);
    edge.callout.answer(200, JSON.stringify({ ...ended, log: OTHER_LOG, cursor: RESET_AT }));
    expect(waiting.status).toBe(401);
    expect(edge.send(session).status).toBe(401);
  });

  it("an answer of the old log confirms nothing after a reset", () => {
    const { edge, session } = resetEdge();
    edge.passMs(TICK_MS);
    const waiting = edge.send(session);
    edge.answerLive({ log: LOG, cursor: RESET_AT + 100 });
    expect(waiting.paused).toBe(true);
    expect(edge.table.record(session.id)?.unconfirmed).toBe(true);
  });

  it.each([
    ["deny", 503],
    ["trust", 200],
  ])("a session after a reset follows onUnreachable %s in an outage: %i", (rule, status) => {
    const { edge, session } = resetEdge(rule);
    edge.passMs(TICK_MS);
    const waiting = edge.send(session);
    edge.callout.timeOut();
    expect(waiting.status).toBe(status);
    expect(edge.table.record(session.id)?.unconfirmed).toBe(true);
  });

  it("a session that comes from the new log during a reset is asked about once more", () => {
    const edge = new Edge({ settings: { table: { capacity: 65_536 } } });
    edge.sessionInTable();
    edge.flush();
    edge.watch.answer(200, resetAnswer(RESET_AT));
    const session = edge.sessionInTable({ tokens: 4, log: OTHER_LOG, cursor: RESET_AT });
    edge.passMs(TICK_MS * 10);
    const waiting = edge.send(session);
    edge.answerLive({ tokens: 10, log: OTHER_LOG, cursor: RESET_AT });
    expect(waiting.status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 3, consumed: 2 });
  });
});

const ended = { state: "revoked", endsInMs: 60_000 };
