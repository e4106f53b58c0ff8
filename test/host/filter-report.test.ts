// What was spent comes home: absolute figures of each session, as often as it takes, and never a wrong acknowledgement.
import { describe, expect, it } from "vitest";
import { MAX_EDGE_BODY_BYTES, MAX_REPORT_ROWS, RECORDS_PER_SET } from "../../assembly/contract.js";
import type { Callout } from "./callouts.js";
import {
  ACQUIRE_TIMEOUT_MS,
  Edge,
  LOG,
  OTHER_LOG,
  REPORT_INTERVAL_MS,
  endedAnswer,
  liveAnswer,
  plan,
  policy,
  reportAnswer,
  resetAnswer,
  watchAnswer,
} from "./edge.js";
import type { HostCall } from "./host-calls.js";
import { Random } from "./random.js";
import { sessionsOfOneSet } from "./set-mates.js";
import type { Session } from "./tokens.js";

/** A whole sweep of the leader takes 10 s; what it finds goes with the next report. */
const SWEEP_MS = 10_000;
const REFILLING = policy({ plans: [plan({ maxTokens: 100, tokenRefillRate: 10 })] });

interface Report {
  readonly edge: string;
  readonly instance: string;
  readonly usage: [id: string, rev: number, consumed: number, level: number, idleMs: number][];
  readonly more: boolean;
}

function reportIn(callout: Callout): Report {
  return callout.json as Report;
}

/** Ticks until the worker's interval has passed. Returns its report, which waits for an answer. */
function nextReport(edge: Edge, worker = 0): Callout {
  edge.clock.advanceMs(REPORT_INTERVAL_MS);
  edge.worker(worker).tick();
  const report = edge.pendingReports.find((pending) => pending.vm === edge.worker(worker));
  if (report === undefined) throw new Error("no report was sent");
  return report;
}

function rowOf(report: Callout, session: Session): Report["usage"][number] | undefined {
  return reportIn(report).usage.find(([id]) => id === session.id);
}

describe("a report", () => {
  it("goes out with the worker's first tick and then every reportInterval, also when there is nothing to say", () => {
    const edge = new Edge();
    edge.flush();
    expect(edge.report.json).toEqual({
      edge: "edge-1",
      instance: expect.any(String) as string,
      worker: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
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
    edge.worker(0).configure(JSON.stringify(policy({ generation: 8 })));
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
    const edge = new Edge({ nodeId: "é".repeat(64), policy: policy({ plans, table: { capacity: 4096 } }) });
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

describe("two workers that spend from the same sessions", () => {
  it("both report them; whichever is answered first or last, the figures and the acknowledgement are right", () => {
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

  it("say each session once a report, also when the other has reported some of theirs", () => {
    const edge = new Edge({ workers: 2, policy: policy({ plans: [plan({ maxTokens: 1000 })] }) });
    const random = new Random(8);
    const sessions = Array.from({ length: 6 }, () => edge.sessionInTable({ tokens: 900 }));
    for (let round = 0; round < 30; round++) {
      for (const session of sessions) edge.send(session, 1);
      const told = random.pick(sessions);
      edge.send(told, 0);
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
  it("survives a change of policy", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    edge.worker(0).configure(JSON.stringify(policy({ generation: 2 })));
    expect(rowOf(nextReport(edge), session)?.slice(0, 3)).toEqual([session.id, 1, 1]);
  });

  it("survives a change of policy while its report is out: it is reported again", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const lost = nextReport(edge);
    edge.worker(0).configure(JSON.stringify(policy({ generation: 2 })));
    expect(lost.state).toBe("cancelled");
    expect(rowOf(nextReport(edge), session)).toBeDefined();
  });

  it("is forgotten when its VM is reloaded, and found by the sweep within a round", () => {
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
    const told = edge.reports.flatMap((report) => reportIn(report).usage.map(([id]) => id));
    expect(new Set(told)).toEqual(new Set(sessions.map((session) => session.id)));
  });

  it("is found by the sweep too when a session ended without another request", () => {
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

describe("an acknowledgement", () => {
  it("never exceeds the record's rev: one that was evicted and came back by another count is left alone", () => {
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

  it("never falls back", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable();
    const late = nextReport(edge, 0);
    edge.send(session, 1);
    nextReport(edge, 1).answer(200, reportAnswer());
    late.answer(200, reportAnswer());
    expect(edge.table.record(session.id)?.ackedRev).toBe(2);
  });

  it("never reaches a session that is here on trust now", () => {
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

  it("counts for nothing when it comes from another log than the one that the edge has heard of", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    nextReport(edge).answer(200, reportAnswer([], OTHER_LOG));
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 0 });
    nextReport(edge).answer(200, reportAnswer());
    expect(edge.table.record(session.id)).toMatchObject({ rev: 1, ackedRev: 1 });
  });

  it("is not written when the edge hears of another log between the read of the set and its write", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable();
    edge.send(session, 1);
    edge.flush();
    const report = edge.pendingReports.find(({ vm }) => vm === edge.worker(1));
    const writesSet = (call: HostCall): boolean =>
      call.vm === edge.worker(1) && call.name === "proxy_set_shared_data" && edge.table.isSetKey(call.key);
    edge.host.hooks.once("before", writesSet, () => {
      edge.watch.answer(200, resetAnswer());
      edge.worker(0).tick();
    });
    report?.answer(200, reportAnswer());
    expect(edge.host.hooks.waiting).toBe(0);
    expect(edge.table.record(session.id)).toMatchObject({ rev: 2, ackedRev: 0, unconfirmed: true });
  });

  it("is written in one go for all rows of a set", () => {
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

describe("a session that was evicted and asked for again", () => {
  it("goes on counting from what the control plane has of it", () => {
    const edge = new Edge();
    const [first, ...others] = sessionsOfOneSet(edge, RECORDS_PER_SET + 1);
    if (first === undefined) throw new Error("a session is needed");
    edge.send(first);
    edge.answerLive();
    edge.admitted(first, 3);
    edge.takeReports();
    for (const other of others) {
      edge.send(other);
      edge.answerLive();
    }
    expect(edge.table.record(first.id)).toBeUndefined();
    edge.clock.advanceMs(ACQUIRE_TIMEOUT_MS + 1);
    edge.takeReports();
    const back = edge.send(first);
    edge.callout.answer(200, liveAnswer({ tokens: 6, consumed: 4, rev: 4 }));
    expect(back.status).toBe(200);
    expect(edge.table.record(first.id)).toMatchObject({ rev: 5, ackedRev: 4, consumed: 5, levelTokens: 5 });
    expect(rowOf(nextReport(edge), first)?.slice(0, 3)).toEqual([first.id, 5, 5]);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_restores")).toBe(1);
  });
});

describe("a session that was admitted on trust", () => {
  it("is not reported until it is confirmed, then with all that it spent", () => {
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

  it("has its figures reported when it turns out to have been revoked", () => {
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
