// What was spent comes home: absolute figures of each session, as often as it takes.
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
  it("goes out with the worker's first tick and then every reportInterval, also when there is nothing to say", () => {
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

  it("says which worker it is from, by the same name until its VM is reloaded", () => {
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

  it("follows the interval of the policy", () => {
    const edge = new Edge({ policy: policy({ controlPlane: { reportInterval: 1000 } }) });
    edge.flush();
    edge.report.answer(200, reportAnswer());
    edge.passMs(1000);
    expect(edge.reports).toHaveLength(2);
  });

  it("carries the edge's credential, and names the same life of the table as its acquires", () => {
    const edge = new Edge();
    edge.sessionInTable();
    const report = nextReport(edge);
    expect(report.headers.get("authorization")).toBe(`Bearer ${edge.mint.edgeCredential}`);
    expect(report.cluster).toBe("sluice_control_plane");
    expect(reportIn(report).instance).toBe((edge.acquires[0]?.json as Report).instance);
  });

  it("says of each session its rev, all that it spent here, its level in microtokens, and how long ago that was", () => {
    const edge = new Edge({ policy: REFILLING });
    const session = edge.sessionInTable({ tokens: 80, consumed: 20, rev: 7 });
    edge.admitted(session, 2);
    edge.clock.advanceMs(30);
    edge.send(session);
    edge.clock.advanceMicros(1_234_567);
    edge.worker(0).tick();
    expect(reportIn(edge.report).usage).toEqual([[session.id, 11, 24, 77_300_000, 1234]]);
  });

  it("says nothing of sessions that were only looked up, or refused", () => {
    const edge = new Edge();
    edge.send(edge.newSession()).abandon();
    edge.answerLive();
    const empty = edge.newSession();
    edge.send(empty);
    edge.answerLive({ tokens: 0 });
    expect(reportIn(nextReport(edge)).usage).toEqual([]);
  });

  it("is one at a time: the next waits for the answer to the last", () => {
    const edge = new Edge();
    nextReport(edge);
    edge.passMs(REPORT_INTERVAL_MS * 3);
    expect(edge.reports).toHaveLength(1);
  });

  it("says the same again, and what came since, when it was lost; and counts that", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const lost = nextReport(edge);
    expect(rowOf(lost, session)?.slice(0, 3)).toEqual([session.id, 1, 1]);
    lost.timeOut();
    edge.send(session);
    const again = nextReport(edge);
    expect(rowOf(again, session)?.slice(0, 3)).toEqual([session.id, 2, 2]);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_report_failures")).toBe(1);
  });

  it.each([
    ["503", 503, reportAnswer()],
    ["half an answer", 200, reportAnswer().slice(0, 20)],
    ["an answer without a log", 200, "{}"],
    ["the log of all zero", 200, reportAnswer([], "0".repeat(16))],
    ["a log in capitals", 200, reportAnswer([], LOG.toUpperCase())],
  ])("is not taken for durable after %s", (_what, status, body) => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    nextReport(edge).answer(status, body);
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 0 });
    expect(rowOf(nextReport(edge), session)).toBeDefined();
  });

  it("is the last word on a session until it spends again", () => {
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

  it("is sent again for what was spent while it was out", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const report = nextReport(edge);
    edge.send(session);
    report.answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ rev: 2, ackedRev: 1 });
    expect(rowOf(nextReport(edge), session)?.slice(0, 3)).toEqual([session.id, 2, 2]);
  });

  it("tells of a session that has ended", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    edge.flush();
    edge.report.answer(200, reportAnswer());
    edge.send(session);
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    expect(rowOf(nextReport(edge), session)?.slice(0, 3)).toEqual([session.id, 3, 2]);
  });

  it("asks again about the sessions that its answer names, and no others", () => {
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
  it("go in several, each session once, each below 64 KiB, the next at the next tick", () => {
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
    const told: string[] = [];
    for (let report = 0; report < 10 && told.length < sessions.length; report++) {
      edge.flush();
      const { usage, more } = reportIn(edge.report);
      expect(usage.length).toBeLessThanOrEqual(MAX_REPORT_ROWS);
      expect(edge.report.body.length).toBeLessThanOrEqual(MAX_EDGE_BODY_BYTES);
      told.push(...usage.map(([id]) => id));
      expect(more).toBe(told.length < sessions.length);
      edge.report.answer(200, reportAnswer());
      edge.clock.advanceMs(100);
    }
    expect(told.sort()).toEqual(sessions.map((session) => session.id).sort());
    edge.flush();
    expect(edge.pendingReports).toHaveLength(0);
  });
});
