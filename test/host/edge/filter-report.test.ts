// Reports of what was spent: absolute figures of each session, repeated until they are acknowledged.
import { describe, expect, it } from "vitest";
import { MAX_EDGE_BODY_BYTES, MAX_REPORT_ROWS } from "../../../assembly/contract.js";
import {
  LOG,
  REPORT_INTERVAL_MS,
  endedAnswer,
  plan,
  policy,
  reportAnswer,
  watchAnswer,
  settings,
} from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { nextReport, reportIn, rowOf, type Report } from "../harness/scenes/reports.js";

const REFILLING = policy({ plans: [plan({ maxTokens: 100, tokenRefillRate: 10 })] });

describe("a report", () => {
  it("a report goes out with the first tick and each reportInterval, even if empty", () => {
    const edge = new Edge();
    edge.flush();
    expect(edge.report.json).toEqual({
      edge: "edge-1",
      instance: expect.any(String) as string,
      worker: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      build: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      policy: { source: "settings", generation: 0, hash: expect.stringMatching(/^[0-9a-f]{16}$/) as string },
      usage: [],
      more: false,
    });
    edge.report.answer(200, reportAnswer());
    edge.passMs(REPORT_INTERVAL_MS - 100);
    expect(edge.reports).toHaveLength(1);
    edge.passMs(100);
    expect(edge.reports).toHaveLength(2);
  });

  it("a report names its worker, by the same name until the VM is reloaded", () => {
    const edge = new Edge({ workers: 2 });
    const workersOf = (): string[] => {
      const [first, second] = [nextReport(edge, 0), nextReport(edge, 1)];
      for (const report of [first, second]) report.answer(200, reportAnswer());
      return [first, second].map((report) => (report.json as { worker: string }).worker);
    };
    const [first, second] = workersOf();
    edge.worker(0).configure(settings(policy()));
    expect(workersOf()).toEqual([first, second]);
    edge.reload(0);
    const [reloaded, same] = workersOf();
    expect(new Set([first, second, reloaded]).size).toBe(3);
    expect(same).toBe(second);
  });

  it("the reports follow the interval of the policy", () => {
    const edge = new Edge({ policy: policy({ controlPlane: { reportInterval: 1000 } }) });
    edge.flush();
    edge.report.answer(200, reportAnswer());
    edge.passMs(1000);
    expect(edge.reports).toHaveLength(2);
  });

  it("a report carries the edge's credential, and the table's life as its acquires do", () => {
    const edge = new Edge();
    edge.sessionInTable();
    const report = nextReport(edge);
    expect(report.headers.get("authorization")).toBe(`Bearer ${edge.mint.edgeCredential}`);
    expect(report.cluster).toBe("sluice_control_plane");
    expect(reportIn(report).instance).toBe((edge.acquires[0]?.json as Report).instance);
  });

  it("a report gives each session's rev, spends, level in microtokens and age", () => {
    const edge = new Edge({ policy: REFILLING });
    const session = edge.sessionInTable({ tokens: 80, consumed: 20, rev: 7 });
    edge.admitted(session, 2);
    edge.clock.advanceMs(30);
    edge.send(session);
    edge.clock.advanceMicros(1_234_567);
    edge.worker(0).tick();
    expect(reportIn(edge.report).usage).toEqual([[session.id, 11, 24, 77_300_000, 1234]]);
  });

  it("a report leaves out sessions that were only looked up or denied", () => {
    const edge = new Edge();
    edge.send(edge.newSession()).abandon();
    edge.answerLive();
    const empty = edge.newSession();
    edge.send(empty);
    edge.answerLive({ tokens: 0 });
    expect(reportIn(nextReport(edge)).usage).toEqual([]);
  });

  it("a report waits for the answer to the one before", () => {
    const edge = new Edge();
    nextReport(edge);
    edge.passMs(REPORT_INTERVAL_MS * 3);
    expect(edge.reports).toHaveLength(1);
  });

  it("a lost report is counted, and repeated with what came since", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const lost = nextReport(edge);
    expect(rowOf(lost, session)?.slice(0, 3)).toEqual([session.id, 1, 1]);
    lost.timeOut();
    edge.send(session);
    const again = nextReport(edge);
    expect(rowOf(again, session)?.slice(0, 3)).toEqual([session.id, 2, 2]);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_report_failures_total")).toBe(1);
  });

  it.each([
    ["503", 503, reportAnswer()],
    ["half an answer", 200, reportAnswer().slice(0, 20)],
    ["an answer without a log", 200, "{}"],
    ["the log of all zero", 200, reportAnswer([], "0".repeat(16))],
    ["a log in capitals", 200, reportAnswer([], LOG.toUpperCase())],
  ])("a report is not taken for durable after %s", (_what, status, body) => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    nextReport(edge).answer(status, body);
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 0 });
    expect(rowOf(nextReport(edge), session)).toBeDefined();
  });

  it("a reported session is not reported again until it spends again", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    nextReport(edge).answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 1 });
    const quiet = nextReport(edge);
    expect(reportIn(quiet).usage).toEqual([]);
    quiet.answer(200, reportAnswer());
    edge.send(session);
    expect(rowOf(nextReport(edge), session)?.slice(0, 3)).toEqual([session.id, 2, 2]);
  });

  it("a session that spends while a report is out is reported again", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const report = nextReport(edge);
    edge.send(session);
    report.answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ rev: 2, ackedRev: 1 });
    expect(rowOf(nextReport(edge), session)?.slice(0, 3)).toEqual([session.id, 2, 2]);
  });

  it("a session that has ended is reported", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    edge.flush();
    edge.report.answer(200, reportAnswer());
    edge.send(session);
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    expect(rowOf(nextReport(edge), session)?.slice(0, 3)).toEqual([session.id, 3, 2]);
  });

  it("sessions that a report's answer names are asked about again, and no others", () => {
    const edge = new Edge();
    const [gone, other] = [edge.sessionInTable(), edge.sessionInTable()];
    nextReport(edge).answer(200, reportAnswer([gone.id, "not-an-id", edge.newSession().id]));
    expect(edge.send(other).status).toBe(200);
    const waiting = edge.send(gone);
    edge.callout.answer(200, endedAnswer("expired"));
    expect(waiting.status).toBe(401);
  });
});

describe("more sessions than one report takes", () => {
  it("more sessions than one report takes go in several, each below 64 KiB", () => {
    const plans = [plan({ maxTokens: 9_000_000 })];
    const edge = new Edge({
      nodeId: "é".repeat(64),
      policy: policy({ plans }),
      settings: { table: { capacity: 4096 } },
    });
    const sessions = Array.from({ length: 1200 }, () => edge.newSession());
    for (const session of sessions) {
      edge.send(session);
      edge.answerLive({ tokens: 9_000_000, consumed: Number.MAX_SAFE_INTEGER - 1, rev: 4_294_967_000 });
    }
    edge.clock.advanceMs(REPORT_INTERVAL_MS);
    const reported: string[] = [];
    for (let report = 0; report < 10 && reported.length < sessions.length; report++) {
      edge.flush();
      const { usage, more } = reportIn(edge.report);
      expect(usage.length).toBeLessThanOrEqual(MAX_REPORT_ROWS);
      expect(edge.report.body.length).toBeLessThanOrEqual(MAX_EDGE_BODY_BYTES);
      reported.push(...usage.map(([id]) => id));
      expect(more).toBe(reported.length < sessions.length);
      edge.report.answer(200, reportAnswer());
      edge.clock.advanceMs(100);
    }
    expect(reported.sort()).toEqual(sessions.map((session) => session.id).sort());
    edge.flush();
    expect(edge.pendingReports).toHaveLength(0);
  });
});
