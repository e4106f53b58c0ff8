// Edge settings, what a VM knows of a table, and the policy in force are three things: a change of one keeps the others.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import type { Edge } from "../harness/scenes/edge.js";
import { LOG, REPORT_INTERVAL_MS, plan, policy, reportAnswer, settings } from "../harness/scenes/documents.js";
import { requestWith } from "../harness/scenes/edge.js";
import { edgeFollowing, generations, newestWatch, offer, policyHash, runs } from "../harness/scenes/policy-offer.js";

const five = policy({ plans: [plan({ maxTokens: 5 })] });
const six = policy({ plans: [plan({ maxTokens: 6 })] });
const own = policy({ plans: [plan({ maxTokens: 3 })] });
const hash = policyHash(JSON.stringify(five));

const following = (workers = 1): Edge => edgeFollowing(five, 7, { workers });

describe("a change of settings in a VM", () => {
  it("a settings change keeps the control plane's policy, without reading its bytes", () => {
    const edge = following();
    const session = edge.sessionInTable({ tokens: 4 });
    edge.worker(0).configure(settings(own));
    expect(edge.admitted(session, 9)).toBe(4);
    expect(runs(edge)).toEqual([{ source: "control-plane", generation: 7, hash }]);
  });

  it("settings that do not follow serve their own policy at once", () => {
    const edge = following();
    const session = edge.sessionInTable({ tokens: 4 });
    edge.worker(0).configure(settings(own, { follow: false }));
    expect(runs(edge)).toMatchObject([{ source: "settings", generation: 0 }]);
    edge.worker(0).configure(settings(undefined));
    expect(runs(edge)).toEqual([{ source: "control-plane", generation: 7, hash }]);
    expect(edge.send(session).status).toBe(200);
  });

  it("settings that do not follow hear no bell, and catch up when they follow again", () => {
    const edge = following(2);
    edge.worker(1).configure(settings(own, { follow: false }));
    offer(newestWatch(edge), six, { generation: 8 });
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([8, 0]);
    edge.worker(1).configure(settings(undefined));
    expect(generations(edge)).toEqual([8, 8]);
  });

  it("a settings change during a watch has the new root watch on and take its policy", () => {
    const edge = following();
    const slow = edge.worker(0).open(requestWith(edge.sessionInTable()));
    const held = edge.watch;
    edge.worker(0).configure(settings(own));
    edge.passMs(TICK_MS);
    expect(newestWatch(edge)).not.toBe(held);
    offer(newestWatch(edge), six, { generation: 8 });
    offer(held, policy({ plans: [] }), { generation: 9 });
    edge.passMs(TICK_MS);
    expect(generations(edge)).toEqual([8]);
    slow.respond();
    expect(slow.status).toBe(200);
  });

  it("a settings change keeps what was spent and not reported, and who leads", () => {
    const edge = following();
    const session = edge.sessionInTable({ tokens: 4 });
    edge.admitted(session, 2);
    edge.worker(0).configure(settings(own));
    edge.clock.advanceMs(REPORT_INTERVAL_MS);
    for (const report of edge.pendingReports) report.answer(200, reportAnswer());
    edge.passMs(REPORT_INTERVAL_MS + TICK_MS);
    const report = edge.reports.findLast((each) => (each.json as { usage: unknown[] }).usage.length > 0);
    expect((report?.json as { usage: unknown[][] }).usage[0]?.slice(0, 3)).toEqual([session.id, 3, 3]);
    expect(newestWatch(edge).vm).toBe(edge.worker(0));
  });
});

describe("two roots with different settings in one VM", () => {
  it("two roots of one table serve one policy; only the newer watches and reports", () => {
    const edge = following();
    const session = edge.sessionInTable({ tokens: 4 });
    const old = edge.worker(0).open(requestWith(edge.newSession()));
    edge.worker(0).configure(settings(own));
    edge.passMs(TICK_MS);
    offer(newestWatch(edge), policy({ response: { headers: "draft" }, plans: [plan({ name: "six" })] }), {
      generation: 8,
    });
    // The older root's request waits across both changes, and is decided by the policy in force.
    for (const call of edge.pendingAcquires) call.answer(200, live());
    expect(old.state).toBe("upstream");
    old.respond();
    expect(old.responseHeaders?.get("ratelimit")).toBe('"six";r=9');
    expect(edge.send(session).responseHeaders?.get("ratelimit")).toBe('"six";r=3');
  });

  it("two roots of two tables follow each its own control plane", () => {
    const edge = following();
    const slow = edge.worker(0).open(requestWith(edge.sessionInTable()));
    const first = edge.watch;
    edge.worker(0).configure(settings(undefined, { table: { name: "other", capacity: 1024 } }));
    edge.passMs(TICK_MS);
    const second = newestWatch(edge);
    expect(edge.send("invented").paused).toBe(true);
    offer(second, six, { generation: 2 });
    expect(edge.send("invented").status).toBe(401);
    offer(first, own, { generation: 8 });
    const texts = edge.host.messages("info").filter((line) => line.includes("serving the policy of the control-plane"));
    expect(texts.map((line) => /generation (\d+)/.exec(line)?.[1])).toEqual(["7", "2", "8"]);
    slow.respond();
  });

  it("streams of an older root go on when the newer root does not follow", () => {
    const edge = following();
    const waiting = edge.worker(0).open(requestWith(edge.newSession()));
    edge.worker(0).configure(settings(policy({ header: "x-own" }), { follow: false }));
    edge.passMs(TICK_MS);
    for (const call of edge.pendingAcquires) call.answer(200, live());
    expect(waiting.state).toBe("upstream");
    waiting.respond();
  });
});

describe("two roots of one table of which the newer does not follow", () => {
  it("an older root takes the next policy though the newer one does not follow", () => {
    const edge = following();
    const slow = edge.worker(0).open(requestWith(edge.sessionInTable()));
    edge.worker(0).configure(settings(own, { follow: false }));
    edge.passMs(TICK_MS);
    expect(newestWatch(edge).json).toMatchObject({ follow: true });
    offer(newestWatch(edge), six, { generation: 8 });
    expect(edge.host.messages("info").join()).toMatch(/serving the policy of the control-plane, generation 8/);
    slow.respond();
    edge.passMs(TICK_MS);
    expect(newestWatch(edge).json).toMatchObject({ follow: false });
  });
});

describe("a worker's report after a change of policy", () => {
  const spread = (edge: Edge): number[] =>
    edge.workers.map((worker) => {
      const report = edge.reports.find((each) => each.vm === worker && each.state === "pending");
      return report === undefined ? -1 : (report.json as { policy: { generation: number } }).policy.generation;
    });

  /** Until none is out, and none is due. */
  function letReportsCome(edge: Edge): void {
    for (let round = 0; round < 2; round++) {
      edge.passMs(500);
      for (const report of edge.pendingReports) report.answer(200, reportAnswer());
    }
  }

  it("a report comes within 100 ms where the control plane asks for no spread", () => {
    const edge = following(4);
    letReportsCome(edge);
    offer(newestWatch(edge), six, { generation: 8 });
    edge.passMs(100 + 2 * TICK_MS);
    expect(spread(edge)).toEqual([8, 8, 8, 8]);
  });

  it("a report is spread over the ms that are asked for, and never later than it was due", () => {
    const edge = following(20);
    letReportsCome(edge);
    offer(newestWatch(edge), six, { generation: 8, spreadMs: 3000 });
    edge.passMs(1500);
    const early = spread(edge).filter((generation) => generation === 8).length;
    expect(early).toBeGreaterThan(2);
    expect(early).toBeLessThan(18);
    edge.passMs(1500 + 2 * TICK_MS);
    expect(spread(edge)).toEqual(edge.workers.map(() => 8));
  });

  it("a report is sent after the one that is out has come back", () => {
    const edge = following();
    edge.passMs(REPORT_INTERVAL_MS);
    const out = edge.report;
    offer(newestWatch(edge), six, { generation: 8 });
    edge.passMs(500);
    expect(edge.pendingReports).toEqual([out]);
    out.answer(200, reportAnswer([], LOG));
    edge.passMs(TICK_MS);
    expect(spread(edge)).toEqual([8]);
  });
});

function live(): string {
  const figures = { state: "live", plan: 0, endsInMs: 3_600_000, level: 10_000_000, consumed: 0, rev: 0 };
  return JSON.stringify({ ...figures, budgetSpent: false, log: LOG, cursor: 41 });
}
