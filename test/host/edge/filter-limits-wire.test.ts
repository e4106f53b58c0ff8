// What goes between an edge and the control plane of further limits: levels by name, also where the limits have changed.
import { describe, expect, it } from "vitest";
import { MAX_EDGE_BODY_BYTES, MAX_NAME_CHARS, MAX_REPORT_ROWS } from "../../../assembly/contract.js";
import type { Callout } from "../harness/host/callouts.js";
import { liveAnswer, plan, policy, reportAnswer, settings, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { leftOf, limit, limited } from "../harness/scenes/limits.js";
import { nextReport } from "../harness/scenes/reports.js";
import type { Session } from "../harness/scenes/tokens.js";

interface Usage {
  readonly session?: string;
  readonly usage?: readonly (readonly unknown[])[];
  readonly limits?: Readonly<Record<string, readonly string[]>>;
  readonly more?: boolean;
}

const said = (callout: Callout): Usage => callout.json as Usage;
const bodyBytes = (callout: Callout): number => callout.body.length;

const TWO = limited([limit("search", 8), limit("daily", 6)]);
/** SHA-256 over plan 0, scope 0 and the names, each behind its length. */
const TWO_TAG = "70543307";

function startedWith(document: PolicyDocument): { edge: Edge; session: Session } {
  const edge = new Edge({ policy: document });
  const session = edge.newSession();
  edge.send(session);
  edge.answerLive({ levels: {} });
  return { edge, session };
}

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

describe("a session whose plan's limits have changed", () => {
  it("the next request asks, with what the record says, and goes on from the answer's levels", () => {
    const { edge, session } = startedWith(TWO);
    edge.admitted(session, 2);
    change(edge, limited([limit("daily", 6), limit("hourly", 5), limit("search", 8)]));
    const stream = edge.send(session);
    const row = [session.id, 3, 3, 7_000_000, 0, TWO_TAG, [3_000_000, 5_000_000]];
    expect(said(edge.callout)).toMatchObject({ session: session.id, usage: [row] });
    expect(said(edge.callout).limits).toEqual({ [TWO_TAG]: ["daily", "search"] });
    edge.answerLive({ consumed: 3, rev: 3, levels: { daily: 3, search: 4, hourly: 2 } });
    expect(stream.status).toBe(200);
    // `search`: the lower of what is here and what the answer says.
    expect(leftOf(edge, session, 3)).toEqual([6, 2, 1, 3]);
    expect(edge.acquires).toHaveLength(2);
  });

  it("limits that are in another order, or have another rate, are the same: nothing is asked", () => {
    const { edge, session } = startedWith(TWO);
    change(edge, limited([limit("daily", 3, { tokenRefillRate: 0 }), limit("search", 20, { refill: "1/1d" })]));
    expect(edge.send(session).status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([8, 2, 6]);
    expect(edge.acquires).toHaveLength(1);
  });

  it("a limit that is taken away and comes back is neither empty nor full", () => {
    const { edge, session } = startedWith(TWO);
    edge.admitted(session, 2);
    change(edge, policy());
    edge.send(session);
    expect(said(edge.callout).usage?.[0]?.slice(5)).toEqual([TWO_TAG, [3_000_000, 5_000_000]]);
    edge.answerLive({ consumed: 3, rev: 3, levels: { daily: 3, search: 5 } });
    expect(edge.table.annexes()).toBe(0);
    expect(edge.send(session).status).toBe(200);
    expect(edge.acquires).toHaveLength(2);
    change(edge, TWO);
    edge.send(session);
    expect(said(edge.callout).usage).toEqual([[session.id, 5, 5, 5_000_000, 0]]);
    edge.answerLive({ consumed: 5, rev: 5, levels: { daily: 3, search: 5 } });
    expect(leftOf(edge, session, 2)).toEqual([4, 2, 4]);
  });

  it("a reloaded worker knows the levels under a policy that it never had", () => {
    const edge = new Edge({ policy: TWO, workers: 2 });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ levels: {} });
    const next = limited([limit("daily", 6), limit("hourly", 5)]);
    expect(edge.worker(0).configure(settings(next))).toBe(true);
    edge.send(session);
    edge.answerLive({ consumed: 1, rev: 1, levels: { daily: 5 } });
    const tag = edge.table.record(session.id)?.annex?.tag ?? "";
    const fresh = edge.reload(1);
    const stream = edge.send(session, 1);
    const row = [session.id, 2, 2, 8_000_000, 0, tag, [4_000_000, 4_000_000]];
    expect(said(edge.callout).usage).toEqual([row]);
    expect(said(edge.callout).limits).toEqual({ [tag]: ["daily", "hourly"] });
    edge.answerLive({ consumed: 2, rev: 2, levels: { search: 7 } });
    expect(stream.vm).toBe(fresh);
    expect(leftOf(edge, session, 2)).toEqual([7, 3, 6]);
  });

  it("a reloaded worker knows the levels under a policy that came after more tags than are kept", () => {
    const edge = new Edge({ policy: TWO, workers: 2 });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ levels: {} });
    const plans = Array.from({ length: 256 }, (_, id) => plan({ id, name: `p-${id}`, limits: [limit("daily", 6)] }));
    expect(edge.worker(0).configure(settings(policy({ plans })))).toBe(true);
    expect(edge.worker(0).configure(settings(limited([limit("daily", 6), limit("hourly", 5)])))).toBe(true);
    edge.send(session);
    edge.answerLive({ consumed: 1, rev: 1, levels: { daily: 5 } });
    expect(leftOf(edge, session, 2)).toEqual([8, 4, 4]);
    edge.reload(1);
    edge.send(session, 1);
    expect(Object.values(said(edge.callout).limits ?? {})).toEqual([["daily", "hourly"]]);
  });

  it("an answer to an ask without a row never replaces levels that were not reported", () => {
    const edge = new Edge({ policy: TWO });
    edge.addWorker(settings(policy()));
    const session = edge.newSession();
    const [stream, other] = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.pendingAcquires;
    first?.answer(200, liveAnswer({ levels: {} }));
    expect(stream.status).toBe(200);
    second?.answer(200, liveAnswer({ levels: {} }));
    expect(other.status, "the record says what the ask did not").toBeUndefined();
    expect(leftOf(edge, session, 2)).toEqual([9, 5, 7]);
    expect(said(edge.callout).usage).toEqual([[session.id, 1, 1, 9_000_000, 0, TWO_TAG, [5_000_000, 7_000_000]]]);
    edge.answerLive({ tokens: 9, consumed: 1, rev: 1, levels: { daily: 5, search: 7 } });
    expect(other.status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([8]);
  });

  it("levels of a session that is moved to another plan are told before they are replaced", () => {
    const plans = [plan({ limits: [limit("daily", 6)] }), plan({ id: 1, name: "gold", limits: [limit("export", 3)] })];
    const { edge, session } = startedWith(policy({ plans }));
    edge.clock.advanceMs(61_000);
    const stream = edge.send(session);
    expect(said(edge.callout).usage?.[0]?.slice(0, 4)).toEqual([session.id, 1, 1, 9_000_000]);
    expect(Object.values(said(edge.callout).limits ?? {})).toEqual([["daily"]]);
    edge.answerLive({ plan: 1, consumed: 1, rev: 1, levels: { daily: 5 } });
    expect(stream.status).toBe(200);
    expect(leftOf(edge, session, 1)).toEqual([8, 2]);
  });

  it("many sessions whose limits have changed share one call, with a row each", () => {
    const edge = new Edge({ policy: TWO });
    const sessions = Array.from({ length: 72 }, () => {
      const session = edge.newSession();
      edge.send(session);
      edge.answerLive({ levels: {} });
      return session;
    });
    change(edge, limited([limit("daily", 6)]));
    for (const session of sessions) edge.send(session);
    expect(edge.pendingAcquires).toHaveLength(8);
    edge.pendingAcquires[0]?.answer(200, liveAnswer({ consumed: 1, rev: 1, levels: { daily: 5 } }));
    const batch = edge.pendingAcquires.map(said).find((call) => (call.usage?.length ?? 0) > 1);
    expect(batch?.usage).toHaveLength(64);
    expect(batch?.limits).toEqual({ [TWO_TAG]: ["daily", "search"] });
    for (const call of edge.pendingAcquires) expect(bodyBytes(call)).toBeLessThanOrEqual(MAX_EDGE_BODY_BYTES);
  });

  it("what an edge knows of limits follows a session to another plan that has them", () => {
    const plans = [
      plan({ limits: [limit("daily", 6), limit("search", 8)] }),
      plan({ id: 1, name: "gold", maxTokens: 90, limits: [limit("daily", 60), limit("gold-only", 5)] }),
    ];
    const { edge, session } = startedWith(policy({ plans }));
    edge.clock.advanceMs(61_000);
    edge.send(session);
    edge.answerLive({ plan: 1, consumed: 1, rev: 1, levels: {} });
    expect(leftOf(edge, session, 2)).toEqual([8, 4, 4]);
  });
});

describe("a session whose limits have changed while the control plane is away", () => {
  it("a session goes on under trust, with full limits where none are known, and is asked about", () => {
    const { edge, session } = startedWith(TWO);
    const tag = edge.table.record(session.id)?.annex?.tag;
    change(edge, limited([limit("daily", 6), limit("hourly", 5)]));
    const stream = edge.send(session);
    edge.callout.timeOut();
    expect(stream.status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([8, 4, 4]);
    const record = edge.table.record(session.id);
    expect(record).toMatchObject({ refresh: true, limitsUnconfirmed: true });
    expect(record?.annex?.tag).not.toBe(tag);
    // They are no figures of what was spent: the control plane keeps those that it has.
    const report = nextReport(edge);
    expect(said(report).usage?.[0]).toHaveLength(5);
    report.answer(200, reportAnswer());
    const next = edge.send(session);
    edge.answerLive({ consumed: 2, rev: 2, levels: { daily: 6, hourly: 1 } });
    expect(next.status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([7, 3, 0]);
    expect(edge.table.record(session.id)).toMatchObject({ refresh: false, limitsUnconfirmed: false });
  });

  it("a session is denied under deny, be that the plan's own word or the document's", () => {
    for (const [document, own, status] of [
      ["deny", null, 503],
      ["trust", "deny", 503],
      ["deny", "trust", 200],
    ] as const) {
      const { edge, session } = startedWith(TWO);
      const plans = [plan({ limits: [limit("daily", 6), limit("hourly", 5)], ...(own && { onUnreachable: own }) })];
      change(edge, policy({ plans, onUnreachable: document }));
      const stream = edge.send(session);
      edge.callout.timeOut();
      expect(stream.status, `${document}, ${own ?? "none"}`).toBe(status);
    }
  });

  it("a session that is not known follows its plan's onUnreachable", () => {
    for (const [document, own, status] of [
      ["trust", "deny", 503],
      ["deny", "trust", 200],
    ] as const) {
      const edge = new Edge({ policy: policy({ plans: [plan({ onUnreachable: own })], onUnreachable: document }) });
      const stream = edge.send(edge.newSession());
      edge.callout.timeOut();
      expect(stream.status, `${document}, ${own}`).toBe(status);
    }
  });

  it("a session whose plan has no limits any more goes on, and loses nothing of them", () => {
    const { edge, session } = startedWith(TWO);
    change(edge, policy());
    const stream = edge.send(session);
    edge.callout.timeOut();
    expect(stream.status).toBe(200);
    expect(leftOf(edge, session, 2)).toEqual([8, 5, 7]);
  });
});
