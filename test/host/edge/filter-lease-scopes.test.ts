// A plan changes its scope while sessions have it: what was spent is told, leases begin empty, and levels go on.
import { describe, expect, it } from "vitest";
import { FLAG_REFRESH, RECORD_FLAGS_AT } from "../../../assembly/contract.js";
import { plan, policy, settings, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { answerLeases, askOut, fleetPolicy, leased, leaseOf, leftHere } from "../harness/scenes/leases.js";
import { leftOf, limit } from "../harness/scenes/limits.js";
import { said } from "../harness/scenes/limits-on-the-wire.js";
import { nextReport } from "../harness/scenes/reports.js";

const EDGE = policy({ plans: [plan({ maxTokens: 100 })] });
const DAILY = [limit("daily", 50)];

function change(edge: Edge, document: PolicyDocument): void {
  for (const worker of edge.workers) expect(worker.configure(settings(document))).toBe(true);
}

describe("a plan that becomes one of scope fleet", () => {
  it("a session says what it spent here, and spends what it is granted", () => {
    const edge = new Edge({ policy: EDGE, workers: 2 });
    const session = edge.sessionInTable({ tokens: 60 });
    change(edge, fleetPolicy());
    const streams = [edge.send(session, 0), edge.send(session, 1)];
    for (const call of edge.pendingAcquires) {
      expect(call.json).toMatchObject({
        usage: [[session.id, 1, 1, 60_000_000, 0]],
        lease: { cost: { "": 1_000_000 } },
      });
    }
    const [first, second] = edge.pendingAcquires;
    const answer = { state: "live", plan: 0, endsInMs: 3_600_000, level: 0, consumed: 1, rev: 1, budgetSpent: false };
    const body = { ...answer, log: "a1b2c3d4e5f60718", cursor: 41, lease: leaseOf(1, { tokens: { "": 4 } }) };
    first?.answer(200, JSON.stringify(body));
    expect(leftHere(edge, session), "60 tokens that nobody granted are no lease").toBe(3);
    second?.answer(200, JSON.stringify(body));
    expect(leftHere(edge, session), "its lease is that of the first").toBe(2);
    expect(streams.map(({ status }) => status)).toEqual([200, 200]);
  });

  it("a level of before is never spent as a lease while the control plane is away", () => {
    const edge = new Edge({ policy: EDGE });
    const session = edge.sessionInTable({ tokens: 60 });
    change(edge, fleetPolicy({}, { onUnreachable: "trust" }));
    const stream = edge.send(session);
    edge.callout.timeOut();
    expect(stream.status).toBe(503);
  });
});

describe("a plan that becomes one of scope edge", () => {
  it("a session takes the level that the answer says, and nothing of its lease beside it", () => {
    const { edge, session } = leased(40);
    change(edge, EDGE);
    edge.send(session);
    const { usage, limits, fleet } = edge.callout.json as { usage: unknown[][]; limits: object; fleet: string[] };
    expect(usage[0]?.slice(0, 4)).toEqual([session.id, 1, 1, 39_000_000]);
    expect(limits).toEqual({ [fleet[0] ?? ""]: [] });
    edge.answerLive({ tokens: 70, consumed: 1, rev: 1 });
    expect(leftHere(edge, session)).toBe(69);
    expect(edge.table.annexes()).toBe(0);
    expect(edge.admitted(session, 100)).toBe(69);
  });

  it("further limits take the answer's levels by name, and are full where it says none", () => {
    const edge = new Edge({ policy: fleetPolicy({ limits: DAILY }) });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens: { "": 5, daily: 5 } }) });
    expect(leftOf(edge, session, 1)).toEqual([4, 4]);
    change(edge, policy({ plans: [plan({ maxTokens: 100, limits: [...DAILY, limit("new", 7)] })] }));
    edge.send(session);
    edge.answerLive({ tokens: 90, levels: { daily: 33 } });
    expect(leftOf(edge, session, 2)).toEqual([89, 32, 6]);
    expect(edge.table.record(session.id)?.annex?.remainders.slice(0, 2)).toEqual([0, 0]);
  });

  it("a session goes on with what was left of its lease while the control plane is away", () => {
    const { edge, session } = leased(40);
    change(edge, EDGE);
    const stream = edge.send(session);
    edge.callout.timeOut();
    expect(stream.status).toBe(200);
    expect(leftHere(edge, session)).toBe(38);
  });

  it("a session goes back and forth, and is asked about each time", () => {
    const { edge, session } = leased(40);
    change(edge, EDGE);
    edge.send(session);
    edge.answerLive({ tokens: 70, consumed: 1, rev: 1 });
    change(edge, fleetPolicy());
    const back = edge.send(session);
    expect(edge.callout.json).toMatchObject({ lease: { cost: { "": 1_000_000 } } });
    edge.answerLive({ tokens: 0, consumed: 2, rev: 2, lease: leaseOf(6, { tokens: { "": 2 } }) });
    expect(back.status).toBe(200);
    expect(leftHere(edge, session)).toBe(1);
    expect(edge.table.record(session.id)?.annex?.ask).toBe(6);
  });
});

describe("a fleet plan whose limits change", () => {
  it("the lease of before ends, and one for all limits comes with the answer", () => {
    const { edge, session } = leased(40);
    change(edge, fleetPolicy({ limits: DAILY }));
    const stream = edge.send(session);
    expect(edge.callout.json).toMatchObject({ lease: { cost: { "": 1_000_000, daily: 1_000_000 } } });
    edge.answerLive({ tokens: 0, lease: leaseOf(3, { tokens: { "": 2, daily: 2 } }) });
    expect(stream.status).toBe(200);
    expect(leftOf(edge, session, 1)).toEqual([1, 1]);
  });

  it("a lease for other limits counts only under a number above that of the one before", () => {
    const late = leased(40);
    change(late.edge, fleetPolicy({ limits: DAILY }));
    const stream = late.edge.send(late.session);
    late.edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens: { "": 2, daily: 2 } }) });
    expect(leftOf(late.edge, late.session, 1), "what it granted may be void by now").toEqual([0, 0]);
    expect(stream.paused).toBe(true);
    expect(askOut(late.edge)).toMatchObject({ ask: 2, applied: 1 });
  });

  it("the numbers of asks go on from the lease of before where the answer brings none", () => {
    const { edge, session } = leased(1);
    edge.send(session);
    for (const call of edge.pendingLeases) call.timeOut();
    change(edge, fleetPolicy({ limits: DAILY }));
    edge.clock.advanceMs(2000);
    edge.send(session);
    edge.answerLive({ tokens: 0 });
    expect(askOut(edge)).toMatchObject({ ask: 3, applied: 1 });
  });

  it("a session that is asked about while its lease lives gains nothing by it", () => {
    const { edge, session } = leased(9, { policy: fleetPolicy({ tokenRefillRate: 10 }) });
    edge.table.patch(session.id, (record) => record.writeUInt8(FLAG_REFRESH, RECORD_FLAGS_AT));
    edge.clock.advanceMs(1000);
    const stream = edge.send(session);
    edge.answerLive({ tokens: 0, consumed: 1, rev: 1 });
    expect(stream.status).toBe(200);
    expect(leftHere(edge, session)).toBe(7);
  });

  it("a session that is asked about is refused nothing that was refused before", () => {
    const { edge, session } = leased(1);
    edge.send(session);
    answerLeases(edge, { refused: { limit: "", retryAfter: 60_000 } });
    edge.table.patch(session.id, (record) => record.writeUInt8(FLAG_REFRESH, RECORD_FLAGS_AT));
    edge.clock.advanceMs(60);
    const stream = edge.send(session);
    edge.answerLive({ tokens: 0, consumed: 1, rev: 1 });
    expect(stream.paused).toBe(true);
    expect(askOut(edge).ask).toBe(3);
  });

  it("a session idle for longer than maxAge is asked about, and keeps its place in the asks", () => {
    const { edge, session } = leased(40);
    edge.passMs(1600);
    answerLeases(edge, {});
    edge.clock.advanceMs(61_000);
    const stream = edge.send(session);
    expect((edge.callout.json as { lease?: object }).lease, "its annex stands").toBeUndefined();
    edge.answerLive({ tokens: 0, consumed: 1, rev: 1 });
    expect(stream.paused).toBe(true);
    expect(askOut(edge)).toMatchObject({ ask: 3, applied: 2 });
  });
});

describe("a report of sessions under fleet plans", () => {
  it("a report says which tags are of scope fleet, also without further limits", () => {
    const plans = [
      plan({ maxTokens: 100, scope: "fleet" }),
      plan({ id: 1, name: "gold", maxTokens: 100, limits: DAILY }),
      plan({ id: 2, name: "all", maxTokens: 100, scope: "fleet", limits: DAILY }),
    ];
    const edge = new Edge({ policy: policy({ plans }) });
    for (const id of [0, 1, 2]) {
      const session = edge.newSession(id);
      edge.send(session);
      const lease = id === 1 ? undefined : leaseOf(1, { tokens: { "": 4, ...(id === 2 && { daily: 4 }) } });
      edge.answerLive({ plan: id, levels: { daily: 10 }, ...(lease && { lease }) });
    }
    const report = nextReport(edge).json as { limits: Record<string, string[]>; fleet: string[] };
    const tags = Object.fromEntries(
      edge.table.records().map(({ planId, annex }) => [planId, annex?.tag ?? ""] as const),
    ) as Record<number, string>;
    expect([...report.fleet].sort()).toEqual([tags[0] ?? "", tags[2] ?? ""].sort());
    expect(report.limits).toEqual({ [tags[0] ?? ""]: [], [tags[1] ?? ""]: ["daily"], [tags[2] ?? ""]: ["daily"] });
  });

  it("a worker that never had the policy says it too, as another has told it", () => {
    const { edge, session } = leased(9);
    edge.addWorker(settings(EDGE));
    edge.send(session, 1);
    const { fleet } = edge.callout.json as { fleet?: string[] };
    expect(fleet).toEqual([edge.table.record(session.id)?.annex?.tag]);
  });

  it("a report of edge plans alone names none", () => {
    const edge = new Edge({ policy: policy({ plans: [plan({ limits: DAILY })] }) });
    edge.send(edge.newSession());
    edge.answerLive({ levels: {} });
    expect(said(nextReport(edge))).not.toHaveProperty("fleet");
  });
});
