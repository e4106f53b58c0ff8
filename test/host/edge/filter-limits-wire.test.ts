// What goes between an edge and the control plane of further limits: levels by name, also where the limits have changed.
import { describe, expect, it } from "vitest";
import { MAX_EDGE_BODY_BYTES, MAX_NAME_CHARS, MAX_REPORT_ROWS } from "../../../assembly/contract.js";
import { liveAnswer, plan, policy, reportAnswer, settings, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { leftOf, limit, limited } from "../harness/scenes/limits.js";
import { nextReport } from "../harness/scenes/reports.js";
import { said, bodyBytes, TWO, TWO_TAG, startedWith } from "../harness/scenes/limits-on-the-wire.js";

/** The edge's settings have another policy from now on. */
function change(edge: Edge, document: PolicyDocument): void {
  for (const worker of edge.workers) expect(worker.configure(settings(document))).toBe(true);
}

describe("a report of sessions with several limits", () => {
  it("a row has the levels by the tag of their limits, whose names stand there once", () => {
    const { edge, session } = startedWith(TWO);
    const other = edge.newSession();
    edge.send(other);
    edge.answerLive({ levels: { daily: 3.5 } });
    const report = said(nextReport(edge));
    const [tag = ""] = Object.keys(report.limits ?? {});
    expect(report.limits).toEqual({ [tag]: ["daily", "search"] });
    expect(tag).toMatch(/^[0-9a-f]{8}$/);
    expect(tag).toBe(edge.table.record(session.id)?.annex?.tag);
    const rows = [...(report.usage ?? [])].sort((a, b) => (a[0] === session.id ? -1 : b[0] === session.id ? 1 : 0));
    expect(rows).toEqual([
      [session.id, 1, 1, 9_000_000, 5000, tag, [5_000_000, 7_000_000]],
      [other.id, 1, 1, 9_000_000, 5000, tag, [2_500_000, 7_000_000]],
    ]);
  });

  it("a tag follows from the plan, its scope and the limits' names alone", () => {
    const { edge, session } = startedWith(TWO);
    expect(edge.table.record(session.id)?.annex?.tag).toBe(TWO_TAG);
    const other = startedWith(limited([limit("daily", 3, { refill: "1/1d" }), limit("search", 1)]));
    expect(other.edge.table.record(other.session.id)?.annex?.tag).toBe(TWO_TAG);
  });

  it("a row of a session without further limits is as ever, and no names are said", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const report = said(nextReport(edge));
    expect(report.usage).toEqual([[session.id, 1, 1, 9_000_000, 5000]]);
    expect(report.limits).toBeUndefined();
  });

  it("a row of a session under a former policy still has its levels", () => {
    const { edge, session } = startedWith(TWO);
    change(edge, policy());
    const report = said(nextReport(edge));
    expect(report.usage?.[0]?.slice(5)).toEqual([TWO_TAG, [5_000_000, 7_000_000]]);
    expect(report.usage?.[0]?.[0]).toBe(session.id);
    expect(report.limits).toEqual({ [TWO_TAG]: ["daily", "search"] });
  });

  it("a report of rows of seven limits stops at the bound of a body, and says that there is more", () => {
    const limits = Array.from({ length: 7 }, (_, at) => limit(`${at}`.padEnd(MAX_NAME_CHARS, "x"), 9_000_000));
    const plans = Array.from({ length: 40 }, (_, id) => plan({ id, name: `plan-${id}`, maxTokens: 9_000_000, limits }));
    const edge = new Edge({ policy: policy({ plans }), settings: { table: { capacity: 4096 } } });
    const sessions = Array.from({ length: 600 }, (_, at) => {
      const session = edge.newSession();
      edge.send(session);
      edge.answerLive({ plan: at % 40, tokens: 9_000_000, levels: {} });
      return session.id;
    });
    const named = new Set<unknown>();
    for (let reports = 0; named.size < sessions.length && reports < 20; reports++) {
      const report = nextReport(edge);
      const { usage = [], limits: names = {}, more } = said(report);
      expect(bodyBytes(report)).toBeLessThanOrEqual(MAX_EDGE_BODY_BYTES);
      expect(usage.length).toBeLessThanOrEqual(MAX_REPORT_ROWS);
      for (const row of usage) {
        expect(Object.keys(names)).toContain(row[5]);
        expect(row[6]).toHaveLength(7);
        named.add(row[0]);
      }
      expect(more).toBe(named.size < sessions.length);
      report.answer(200, reportAnswer());
    }
    expect(named).toEqual(new Set(sessions));
  });
});

describe("an answer's levels", () => {
  it("a new session has the levels that the answer says, and is full where it says none", () => {
    const { edge } = startedWith(TWO);
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ levels: { daily: 2, search: -1, gone: 4 } });
    expect(edge.table.record(session.id)?.annex?.levelsTokens.slice(0, 2)).toEqual([2, -1]);
    const bounded = edge.newSession();
    edge.send(bounded);
    edge.answerLive({ levels: { daily: 9_000_000, search: -9_000_000 } });
    expect(edge.table.record(bounded.id)?.annex?.levelsTokens.slice(0, 2)).toEqual([6, -8]);
  });

  it("a new session owes what the answer says that it owes, at most a bucket", () => {
    const edge = new Edge();
    const session = edge.newSession();
    const stream = edge.send(session);
    edge.answerLive({ tokens: -5, consumed: 15, rev: 2 });
    expect(stream.status).toBe(429);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: -5, consumed: 15, rev: 2 });
    const deep = edge.newSession();
    edge.send(deep);
    edge.answerLive({ tokens: -9_000_000, consumed: 15, rev: 2 });
    expect(edge.table.record(deep.id)?.levelTokens).toBe(-10);
  });

  it("an answer never raises a level that is there, and lowers none", () => {
    const { edge, session } = startedWith(TWO);
    edge.clock.advanceMs(61_000);
    edge.send(session);
    expect(said(edge.callout).usage?.[0]?.slice(5), "its plan may have changed").toEqual([
      TWO_TAG,
      [5_000_000, 7_000_000],
    ]);
    edge.answerLive({ consumed: 1, rev: 1, levels: { daily: 6, search: 1 } });
    expect(leftOf(edge, session, 2)).toEqual([8, 4, 6]);
  });

  it.each([
    ["a list", []],
    ["a text among them", { daily: "6" }],
    ["a fraction among them", { daily: 0.5 }],
    ["a number beyond any bucket", { daily: 9_000_000_000_001 }],
  ])("levels that are %s make the answer none", (_what, levels) => {
    const edge = new Edge({ policy: limited([limit("daily", 6)], { onUnreachable: "deny" }) });
    const stream = edge.send(edge.newSession());
    const answer = JSON.parse(liveAnswer()) as object;
    edge.callout.answer(200, JSON.stringify({ ...answer, levels }));
    expect(stream.status).toBe(503);
  });

  it("an unverified session has full limits, and the lower of each once it is confirmed", () => {
    const edge = new Edge({ policy: TWO });
    const session = edge.newSession();
    edge.send(session);
    edge.callout.timeOut();
    expect(leftOf(edge, session, 2)).toEqual([9, 5, 7]);
    edge.passMs(1500);
    edge.answerLive({ consumed: 3, rev: 3, levels: { daily: 2, search: 8 } });
    expect(edge.table.record(session.id)).toMatchObject({ provisional: false, rev: 4 });
    expect(leftOf(edge, session, 2)).toEqual([9, 2, 7]);
  });
});
