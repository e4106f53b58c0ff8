// Figures that a report has delivered are acknowledged in the table, and no others.
import { describe, expect, it } from "vitest";
import { RECORDS_PER_SET } from "../../../assembly/contract.js";
import { OTHER_LOG, reportAnswer, resetAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { writesSet } from "../harness/scenes/host-call-matches.js";
import { nextReport } from "../harness/scenes/reports.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";

describe("an acknowledgement", () => {
  it("an acknowledgement never exceeds the rev of a record that was evicted and came back", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ rev: 40 });
    const report = nextReport(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.send(session);
    edge.answerLive({ rev: 3 });
    expect(edge.table.record(session.id)).toMatchObject({ rev: 4, ackedRev: 3 });
    report.answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ rev: 4, ackedRev: 3 });
  });

  it("an acknowledgement never falls back", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable();
    const late = nextReport(edge, 0);
    edge.send(session, 1);
    nextReport(edge, 1).answer(200, reportAnswer());
    late.answer(200, reportAnswer());
    expect(edge.table.record(session.id)?.ackedRev).toBe(2);
  });

  it("an acknowledgement never reaches a session that is unverified now", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const report = nextReport(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.send(session);
    edge.callout.timeOut();
    edge.admitted(session, 3);
    report.answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ provisional: true, ackedRev: 0 });
  });

  it("an acknowledgement from another log than the edge's counts for nothing", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    nextReport(edge).answer(200, reportAnswer([], OTHER_LOG));
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 0 });
    nextReport(edge).answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 1 });
  });

  it("an acknowledgement is not written when the log changes between read and write", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable();
    edge.send(session, 1);
    edge.flush();
    const report = edge.pendingReports.find(({ vm }) => vm === edge.worker(1));
    edge.host.hooks.once("before", writesSet(edge, edge.worker(1)), () => {
      edge.watch.answer(200, resetAnswer());
      edge.worker(0).tick();
    });
    report?.answer(200, reportAnswer());
    expect(edge.host.hooks.waiting).toBe(0);
    expect(edge.table.record(session.id)).toMatchObject({ rev: 2, ackedRev: 0, unconfirmed: true });
  });

  it("the acknowledgements of a set are written in one go", () => {
    const edge = new Edge();
    const sessions = sessionsOfOneSet(edge, RECORDS_PER_SET);
    for (const session of sessions) {
      edge.send(session);
      edge.answerLive();
    }
    const report = nextReport(edge);
    let writes = 0;
    edge.host.hooks.each(
      "after",
      (call) => call.name === "proxy_set_shared_data" && edge.table.isSetKey(call.key),
      () => (writes += 1),
    );
    report.answer(200, reportAnswer());
    expect(writes).toBe(1);
    expect(edge.table.records().every((record) => record.ackedRev === record.rev)).toBe(true);
  });
});
