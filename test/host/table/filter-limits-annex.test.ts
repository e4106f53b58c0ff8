// Where a session's further levels lie: an annex in the set of its record, made with it and gone with it.
import { describe, expect, it } from "vitest";
import { ANSWER_VALID_MS, RECORDS_PER_SET } from "../../../assembly/contract.js";
import {
  endedAnswer,
  liveAnswer,
  plan,
  policy,
  reportAnswer,
  settings,
  watchAnswer,
} from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { leftOf, limit, limited } from "../harness/scenes/limits.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";
import type { Session } from "../harness/scenes/tokens.js";

const DAILY = limited([limit("daily", 6)]);
/** Records with their annexes that a set holds. */
const PAIRS = RECORDS_PER_SET / 2;

function admit(edge: Edge, session: Session): number | undefined {
  const stream = edge.send(session);
  if (stream.paused) edge.answerLive({ levels: {} });
  return stream.status;
}

describe("the annex of a record", () => {
  it("a session's annex lies in the set of its record and goes when the session ends", () => {
    const edge = new Edge({ policy: DAILY });
    const session = edge.newSession();
    admit(edge, session);
    expect(leftOf(edge, session, 1)).toEqual([9, 5]);
    expect(edge.table.annexes()).toBe(1);
    edge.worker(0).tick();
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    expect(edge.table.record(session.id)).toMatchObject({ live: false, annex: undefined });
    expect(edge.table.annexes()).toBe(0);
  });

  it("an annex stays with an unknown session, and goes with an expired one", () => {
    const edge = new Edge({ policy: DAILY });
    const session = edge.newSession();
    admit(edge, session);
    edge.clock.advanceMs(61_000);
    edge.send(session);
    edge.callout.answer(200, endedAnswer("unknown"));
    expect(leftOf(edge, session, 1), "an unknown session may live again").toEqual([9, 5]);
    edge.clock.advanceMs(5001);
    edge.send(session);
    edge.answerLive({ levels: {} });
    expect(leftOf(edge, session, 1)).toEqual([8, 4]);
    edge.clock.advanceMs(61_000);
    edge.send(session);
    edge.callout.answer(200, endedAnswer("expired"));
    expect(edge.table.annexes()).toBe(0);
  });

  it("a set holds half as many sessions with annexes; the next one evicts a pair", () => {
    const edge = new Edge({ policy: DAILY });
    const sessions = sessionsOfOneSet(edge, PAIRS + 1);
    for (const session of sessions.slice(0, PAIRS)) {
      expect(admit(edge, session)).toBe(200);
      edge.clock.advanceMs(10);
    }
    expect(edge.table.annexes()).toBe(PAIRS);
    const last = sessions[PAIRS] as Session;
    edge.send(last);
    edge.answerLive({ levels: {} });
    expect(edge.table.record(last.id), "all are dirty").toBeUndefined();
    edge.takeReports();
    edge.clock.advanceMs(ANSWER_VALID_MS);
    expect(admit(edge, last)).toBe(200);
    expect(edge.table.record(sessions[0]?.id ?? "")).toBeUndefined();
    expect(leftOf(edge, last, 1)).toEqual([9, 5]);
    expect(edge.table.records()).toHaveLength(PAIRS);
    expect(edge.table.annexes()).toBe(PAIRS);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_table_records")).toBe(PAIRS);
    expect(edge.host.metrics.sum("sluice_table_evictions_total")).toBe(1);
  });

  it("two sessions without an annex make room for one session with its annex", () => {
    const plans = [plan(), plan({ id: 1, name: "gold", limits: [limit("daily", 6)] })];
    const edge = new Edge({ policy: policy({ plans }) });
    const [gold, ...sessions] = sessionsOfOneSet(edge, RECORDS_PER_SET + 1);
    if (gold === undefined) throw new Error("a session is needed");
    for (const session of sessions) {
      admit(edge, session);
      edge.clock.advanceMs(10);
    }
    edge.takeReports();
    edge.clock.advanceMs(ANSWER_VALID_MS);
    edge.send(gold);
    edge.answerLive({ plan: 1, levels: {} });
    expect(leftOf(edge, gold, 1)).toEqual([9, 5]);
    const left = sessions.map((session) => edge.table.record(session.id) !== undefined);
    expect(left).toEqual(sessions.map((_, index) => index > 1));
    edge.flush();
    expect(edge.host.metrics.sum("sluice_table_records")).toBe(RECORDS_PER_SET - 1);
    expect(edge.host.metrics.sum("sluice_table_evictions_total")).toBe(2);
  });

  it("a session whose annex finds no slot is denied as the policy says, and its record stays", () => {
    for (const onTableFull of ["deny", "allow"]) {
      const plans = [plan(), plan({ id: 1, name: "gold", limits: [limit("daily", 6)] })];
      const edge = new Edge({ policy: policy({ plans, onTableFull }) });
      const sessions = sessionsOfOneSet(edge, RECORDS_PER_SET);
      for (const session of sessions) admit(edge, session);
      edge.clock.advanceMs(61_000);
      const moved = sessions[0] as Session;
      const stream = edge.send(moved);
      edge.callout.answer(200, liveAnswer({ plan: 1, consumed: 1, rev: 1, levels: {} }));
      expect(stream.status).toBe(onTableFull === "allow" ? 200 : 503);
      expect(edge.table.record(moved.id)).toMatchObject({ live: true, planId: 1, rev: 1, annex: undefined });
      edge.flush();
      expect(edge.host.metrics.sum("sluice_table_full_total")).toBe(1);
    }
  });

  it("a session's own record never makes room for its annex", () => {
    const edge = new Edge({ policy: policy() });
    const [own, ...others] = sessionsOfOneSet(edge, RECORDS_PER_SET);
    if (own === undefined) throw new Error("a session is needed");
    for (const session of [own, ...others]) admit(edge, session);
    edge.takeReports();
    for (const other of others) edge.send(other);
    edge.clock.advanceMs(ANSWER_VALID_MS + 1);
    expect(edge.worker(0).configure(settings(DAILY))).toBe(true);
    const stream = edge.send(own);
    edge.callout.timeOut();
    expect(stream.status).toBe(503);
    expect(edge.table.record(own.id)).toMatchObject({ live: true, annex: undefined });
    expect(edge.table.records()).toHaveLength(RECORDS_PER_SET);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_table_full_total")).toBe(1);
  });

  it("an annex is no record: not to the sweep, to a reset, to reports or to a look-up", () => {
    const edge = new Edge({ policy: limited([limit("a", 9_000_000), limit("b", 9_000_000)]) });
    const sessions = sessionsOfOneSet(edge, PAIRS);
    for (const session of sessions) admit(edge, session);
    edge.passMs(11_000);
    expect(edge.host.metrics.sum("sluice_table_records")).toBe(PAIRS);
    expect(edge.reports.flatMap((report) => (report.json as { usage: unknown[] }).usage)).toHaveLength(PAIRS);
    for (const report of edge.pendingReports) report.answer(200, reportAnswer());
    const annexes = edge.table.records().map(({ annex }) => annex);
    edge.watch.answer(200, JSON.stringify({ reset: true, log: "0f1e2d3c4b5a6978", cursor: 3 }));
    edge.passMs(300);
    expect(edge.table.records().map(({ annex }) => annex)).toEqual(annexes);
    expect(edge.table.records().every(({ unconfirmed, ackedRev }) => unconfirmed && ackedRev === 0)).toBe(true);
  });
});
