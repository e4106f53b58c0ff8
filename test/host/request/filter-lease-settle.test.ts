// Reservations from a lease: what a request did not need goes back to the budget with the next ask, never to the lease.
import { describe, expect, it } from "vitest";
import { LEASE_TTL_MS } from "../../../assembly/contract.js";
import { plan, policy, settings } from "../harness/scenes/documents.js";
import type { Edge } from "../harness/scenes/edge.js";
import { answerLeases, askOut, leaseOf, leftHere } from "../harness/scenes/leases.js";
import { limit } from "../harness/scenes/limits.js";
import { chat, llmLeft, OK, settlements, settlingEdge } from "../harness/scenes/settling.js";
import type { Session } from "../harness/scenes/tokens.js";

const LLM = limit("llm", 1000, { applies: "routes" });
const PLAN = { maxTokens: 1000, limits: [LLM] };
const CHAT = { match: { prefix: "/chat" }, limits: { llm: 40 }, settle: { limit: "llm", header: "x-cost" } };
const FLEET = policy({ plans: [plan({ ...PLAN, scope: "fleet" })], routes: [CHAT] });
const EDGE = policy({ plans: [plan(PLAN)], routes: [CHAT] });

function leasedChatter(document = FLEET): { edge: Edge; session: Session } {
  const edge = settlingEdge(document);
  const session = edge.newSession();
  edge.send(session);
  edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens: { "": 100, llm: 100 } }) });
  return { edge, session };
}

describe("a reservation from a lease", () => {
  it("what a request did not need is said with the next ask, once", () => {
    const { edge, session } = leasedChatter();
    chat(edge, session).respond({ ...OK, "x-cost": "7" });
    expect(llmLeft(edge, session)).toBe(60);
    edge.passMs(1600);
    expect(askOut(edge)).toMatchObject({ back: { llm: 60_000_000 }, settled: { llm: 33_000_000 } });
    answerLeases(edge, {});
    edge.passMs(5000);
    expect(edge.leases).toHaveLength(1);
    expect(settlements(edge)).toEqual({ settled: 1 });
  });

  it("a reservation that is settled after its lease ended still gives back", () => {
    const { edge, session } = leasedChatter();
    const stream = chat(edge, session);
    edge.passMs(1600);
    answerLeases(edge, {});
    edge.clock.advanceMs(LEASE_TTL_MS);
    stream.respond({ ...OK, "x-cost": "10" });
    expect(llmLeft(edge, session)).toBe(0);
    edge.passMs(1700);
    expect(askOut(edge)).toMatchObject({ settled: { llm: 30_000_000 } });
  });

  it("a request that reserved too little owes, and its debt goes with the next ask", () => {
    const { edge, session } = leasedChatter();
    chat(edge, session).respond({ ...OK, "x-cost": "130" });
    expect(llmLeft(edge, session)).toBe(-30);
    edge.passMs(1600);
    expect(askOut(edge)).toMatchObject({ left: { llm: -30_000_000 } });
    expect(llmLeft(edge, session), "until the answer says that it was taken over").toBe(-30);
    answerLeases(edge, {});
    expect(llmLeft(edge, session)).toBe(0);
  });

  it("a debt that comes long after the lease is said without another request", () => {
    const { edge, session } = leasedChatter();
    const stream = chat(edge, session);
    edge.passMs(1600);
    answerLeases(edge, {});
    edge.clock.advanceMs(LEASE_TTL_MS);
    stream.respond({ ...OK, "x-cost": "130" });
    expect(llmLeft(edge, session)).toBe(-90);
    edge.passMs(1700);
    expect(askOut(edge)).toMatchObject({ left: { llm: -90_000_000 } });
    answerLeases(edge, {});
    expect(llmLeft(edge, session)).toBe(0);
  });

  it("a debt of a lost ask is said again", () => {
    const { edge, session } = leasedChatter();
    chat(edge, session).respond({ ...OK, "x-cost": "130" });
    edge.passMs(1600);
    edge.pendingLeases[0]?.timeOut();
    expect(llmLeft(edge, session)).toBe(-30);
    edge.clock.advanceMs(2000);
    edge.send(session);
    expect(askOut(edge)).toMatchObject({ ask: 3, applied: 1, left: { llm: -30_000_000 } });
  });

  it("a lease that is over is not revived by a settlement", () => {
    const { edge, session } = leasedChatter();
    const stream = chat(edge, session);
    edge.clock.advanceMs(LEASE_TTL_MS);
    stream.respond({ ...OK, "x-cost": "45" });
    expect(leftHere(edge, session)).toBe(0);
    expect(llmLeft(edge, session)).toBe(-5);
    expect(edge.send(session).paused).toBe(true);
    expect(askOut(edge).left).toEqual({ llm: -5_000_000 });
  });

  it("a reservation of an edge plan of before settles nothing of a lease's limit", () => {
    const edge = settlingEdge(EDGE);
    const session = edge.sessionInTable({ tokens: 100, levels: { llm: 100 } });
    const stream = chat(edge, session);
    edge.worker(0).configure(settings(FLEET));
    edge.send(session);
    edge.answerLive({ tokens: 0, consumed: 2, rev: 2, lease: leaseOf(1, { tokens: { "": 9, llm: 9 } }) });
    stream.respond({ ...OK, "x-cost": "1" });
    expect(llmLeft(edge, session)).toBe(9);
    expect(settlements(edge)).toEqual({ other_limits: 1 });
  });

  it("what a request did not need is forgotten where its plan is of scope edge for 10 s", () => {
    const { edge, session } = leasedChatter();
    chat(edge, session).respond({ ...OK, "x-cost": "7" });
    edge.worker(0).configure(settings(EDGE));
    edge.passMs(10_100);
    edge.worker(0).configure(settings(FLEET));
    edge.passMs(2000);
    expect(edge.leases).toEqual([]);
  });
});
