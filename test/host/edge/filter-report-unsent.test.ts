// Reports that Envoy cannot send, and which figures an acknowledgement settles among sessions of one set.
import { describe, expect, it } from "vitest";
import { RECORDS_PER_SET } from "../../../assembly/contract.js";
import { REPORT_INTERVAL_MS, reportAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { nextReport, reportIn } from "../harness/scenes/reports.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";

const idsIn = (report: ReturnType<typeof nextReport>): string[] => reportIn(report).usage.map(([id]) => id);

describe("a report that Envoy cannot send", () => {
  it.each([2, 10, 6])("a report that Envoy answers with status %i is sent with the next interval", (status) => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 5 });
    edge.host.dispatchResult = status;
    edge.clock.advanceMs(REPORT_INTERVAL_MS);
    edge.worker(0).tick();
    expect(edge.reports).toHaveLength(0);
    edge.host.dispatchResult = 0;
    const report = nextReport(edge);
    expect(idsIn(report)).toEqual([session.id]);
    report.answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 1 });
    edge.send(session);
    expect(idsIn(nextReport(edge))).toEqual([session.id]);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_report_failures_total")).toBe(1);
  });
});

describe("an acknowledgement among sessions of one set", () => {
  it.each([
    ["every second one", (slot: number): boolean => slot % 2 === 0],
    ["the last one", (slot: number): boolean => slot === RECORDS_PER_SET - 1],
    ["all but the first", (slot: number): boolean => slot > 0],
  ])("an acknowledgement leaves marked what was spent since, where that is %s", (_what, spendsAgain) => {
    const edge = new Edge();
    const sessions = sessionsOfOneSet(edge, RECORDS_PER_SET);
    for (const session of sessions) {
      edge.send(session);
      edge.answerLive();
    }
    const report = nextReport(edge);
    expect(idsIn(report)).toHaveLength(RECORDS_PER_SET);
    const again = sessions.filter((_, slot) => spendsAgain(slot));
    for (const session of again) edge.send(session);
    report.answer(200, reportAnswer());
    const next = nextReport(edge);
    expect(idsIn(next).sort()).toEqual(again.map(({ id }) => id).sort());
    next.answer(200, reportAnswer());
    expect(idsIn(nextReport(edge))).toEqual([]);
  });

  it("an acknowledgement of a set's later sessions leaves its earlier ones marked", () => {
    const edge = new Edge();
    const sessions = sessionsOfOneSet(edge, RECORDS_PER_SET);
    for (const session of sessions) {
      edge.send(session);
      edge.answerLive();
    }
    nextReport(edge).answer(200, reportAnswer());
    const [earlier, later] = [sessions.slice(0, RECORDS_PER_SET / 2), sessions.slice(RECORDS_PER_SET / 2)];
    for (const session of later) edge.send(session);
    const report = nextReport(edge);
    for (const session of earlier) edge.send(session);
    report.answer(200, reportAnswer());
    expect(idsIn(nextReport(edge)).sort()).toEqual(earlier.map(({ id }) => id).sort());
  });
});
