// What a worker has to report is reported once, whichever worker does it, also when the worker's VM is replaced.
import { describe, expect, it } from "vitest";
import { REPORT_INTERVAL_MS, plan, policy, reportAnswer, watchAnswer, settings } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { Random } from "../harness/host/random.js";
import { SWEEP_MS, nextReport, reportIn, rowOf } from "../harness/scenes/reports.js";

describe("two workers that spend from the same sessions", () => {
  it("two workers that report the same sessions get their figures right in any order", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable();
    edge.send(session, 1);
    const first = nextReport(edge, 0);
    edge.send(session, 1);
    const second = nextReport(edge, 1);
    expect([rowOf(first, session)?.[2], rowOf(second, session)?.[2]]).toEqual([2, 3]);
    second.answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ rev: 3, ackedRev: 3 });
    first.answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ rev: 3, ackedRev: 3 });
  });

  it("each report names a session once, also when another worker has reported it", () => {
    const edge = new Edge({ workers: 2, policy: policy({ plans: [plan({ maxTokens: 1000 })] }) });
    const random = new Random(8);
    const sessions = Array.from({ length: 6 }, () => edge.sessionInTable({ tokens: 900 }));
    for (let round = 0; round < 30; round++) {
      for (const session of sessions) edge.send(session, 1);
      const reported = random.pick(sessions);
      edge.send(reported, 0);
      nextReport(edge, 0).answer(200, reportAnswer());
      const report = nextReport(edge, 1);
      const ids = reportIn(report).usage.map(([id]) => id);
      expect(ids.length).toBe(new Set(ids).size);
      expect(reportIn(report).more).toBe(false);
      report.answer(200, reportAnswer());
    }
  });
});

describe("what a worker has marked to report", () => {
  it("sessions to report survive a change of policy", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    edge.worker(0).configure(settings(policy()));
    expect(rowOf(nextReport(edge), session)?.slice(0, 3)).toEqual([session.id, 1, 1]);
  });

  it("a report that is out during a change of policy is sent again", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const lost = nextReport(edge);
    edge.worker(0).configure(settings(policy()));
    expect(lost.state).toBe("cancelled");
    expect(rowOf(nextReport(edge), session)).toBeDefined();
  });

  it("sessions to report are found by the sweep when their VM is reloaded", () => {
    const edge = new Edge();
    const sessions = Array.from({ length: 20 }, () => edge.sessionInTable());
    edge.reload(0);
    const empty = nextReport(edge);
    expect(reportIn(empty).usage).toEqual([]);
    empty.answer(200, reportAnswer());
    // A lease of 3 s of the VM that is gone, a round of the sweep, an interval.
    edge.passMs(3000 + SWEEP_MS);
    for (const report of edge.pendingReports) report.answer(200, reportAnswer());
    edge.passMs(REPORT_INTERVAL_MS);
    const reported = edge.reports.flatMap((report) => reportIn(report).usage.map(([id]) => id));
    expect(new Set(reported)).toEqual(new Set(sessions.map((session) => session.id)));
  });

  it("a session that ended without another request is found by the sweep", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    nextReport(edge).answer(200, reportAnswer());
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    edge.passMs(REPORT_INTERVAL_MS * 2);
    for (let answered = 0; answered < 4; answered++) {
      edge.passMs(REPORT_INTERVAL_MS);
      for (const report of edge.pendingReports) report.answer(200, reportAnswer());
    }
    expect(edge.table.record(session.id)).toMatchObject({ live: false, rev: 2, ackedRev: 2 });
  });
});
