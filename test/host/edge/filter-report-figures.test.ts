// Figures of a session that was evicted, or admitted unverified: they go on from what the control plane had of it.
import { describe, expect, it } from "vitest";
import { ANSWER_VALID_MS, RECORDS_PER_SET } from "../../../assembly/contract.js";
import { REPORT_INTERVAL_MS, endedAnswer, liveAnswer, reportAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { SWEEP_MS, nextReport, reportIn, rowOf } from "../harness/scenes/reports.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";

describe("a session that was evicted and asked for again", () => {
  it("an evicted session goes on counting from what the control plane has of it", () => {
    const edge = new Edge();
    const [first, ...others] = sessionsOfOneSet(edge, RECORDS_PER_SET + 1);
    if (first === undefined) throw new Error("a session is needed");
    edge.send(first);
    edge.answerLive();
    edge.admitted(first, 3);
    edge.takeReports();
    edge.clock.advanceMs(ANSWER_VALID_MS + 1);
    for (const other of others) {
      edge.send(other);
      edge.answerLive();
    }
    expect(edge.table.record(first.id)).toBeUndefined();
    edge.clock.advanceMs(ANSWER_VALID_MS + 1);
    edge.takeReports();
    const back = edge.send(first);
    edge.callout.answer(200, liveAnswer({ tokens: 6, consumed: 4, rev: 4 }));
    expect(back.status).toBe(200);
    expect(edge.table.record(first.id)).toMatchObject({ rev: 5, ackedRev: 4, consumed: 5, levelTokens: 5 });
    expect(rowOf(nextReport(edge), first)?.slice(0, 3)).toEqual([first.id, 5, 5]);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_restores_total")).toBe(1);
  });
});

describe("a session that was admitted unverified", () => {
  it("an unverified session is reported once it is confirmed, with all that it spent", () => {
    const edge = new Edge();
    const session = edge.newSession();
    edge.send(session);
    edge.callout.timeOut();
    edge.admitted(session, 2);
    const silent = nextReport(edge);
    expect(reportIn(silent).usage).toEqual([]);
    silent.answer(200, reportAnswer());
    edge.callout.answer(200, liveAnswer({ tokens: 10, consumed: 20, rev: 11 }));
    expect(rowOf(nextReport(edge), session)?.slice(0, 4)).toEqual([session.id, 14, 23, 7_000_000]);
  });

  it("an unverified session that was revoked has its figures reported", () => {
    const edge = new Edge();
    const session = edge.newSession();
    edge.send(session);
    edge.callout.timeOut();
    edge.admitted(session, 2);
    nextReport(edge).answer(200, reportAnswer());
    edge.callout.answer(200, endedAnswer("revoked"));
    expect(edge.table.record(session.id)).toMatchObject({ live: false, provisional: false, consumed: 3 });
    edge.passMs(SWEEP_MS + REPORT_INTERVAL_MS);
    for (const report of edge.pendingReports) report.answer(200, reportAnswer());
    edge.passMs(SWEEP_MS);
    const rows = edge.reports.flatMap((report) => rowOf(report, session) ?? []);
    expect(rows.slice(0, 3)).toEqual([session.id, 4, 3]);
  });
});
