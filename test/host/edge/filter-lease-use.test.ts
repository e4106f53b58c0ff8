// A session in use is asked about before it is dry, and what nobody spends goes back.
import { describe, expect, it } from "vitest";
import { MAX_EDGE_BODY_BYTES, MAX_LEASE_ASKS } from "../../../assembly/contract.js";
import { Edge } from "../harness/scenes/edge.js";
import {
  answerLeases,
  askOut,
  asksOf,
  fleetPolicy,
  leaseAnswer,
  leased,
  leaseOf,
  leftHere,
  sumOf,
} from "../harness/scenes/leases.js";
import { limit } from "../harness/scenes/limits.js";

describe("a session in use", () => {
  it("a session that runs low is asked about by a tick, and no request waits", () => {
    const { edge, session } = leased(40);
    let waited = 0;
    for (let ms = 0; ms < 3000; ms += 20) {
      edge.clock.advanceMs(20);
      const stream = edge.send(session);
      if (stream.paused) waited++;
      if (ms % 100 === 0) edge.flush();
      answerLeases(edge, (ask) => leaseOf(ask.ask, { tokens: { "": 12 } }));
    }
    expect(waited).toBe(0);
    expect(edge.leases.length).toBeGreaterThan(5);
    expect(edge.leases.length).toBeLessThan(30);
    const asked = edge.leases.flatMap(asksOf);
    const wanted = asked.slice(1).map(({ want }) => want?.[""] ?? 0);
    // 50 requests a second, each of one token.
    expect(Math.min(...wanted)).toBeGreaterThanOrEqual(45_000_000);
    expect(Math.max(...wanted)).toBeLessThanOrEqual(55_000_000);
    expect(asked.map(({ ask }) => ask)).toEqual(asked.map((_, at) => at + 2));
    for (const { ask, applied } of asked) expect(applied).toBe(ask - 1);
  });

  it("requests that waited for a lease are wanted once, as others are", () => {
    const { edge, session } = leased(1);
    const waiting = Array.from({ length: 20 }, () => edge.send(session));
    answerLeases(edge, { tokens: { "": 20 } });
    expect(waiting.map(({ status }) => status)).toEqual(waiting.map(() => 200));
    edge.clock.advanceMs(1000);
    edge.send(session);
    // That many came in the second before, the first one among them.
    expect(askOut(edge).want).toEqual({ "": 21_000_000 });
  });

  it("what nobody spends is given back after a while, and wanted no more", () => {
    const { edge, session } = leased(9);
    edge.passMs(1400);
    expect(edge.leases).toEqual([]);
    edge.passMs(200);
    expect(askOut(edge)).toEqual({ session: session.id, ask: 2, applied: 1, back: { "": 8_000_000 } });
    expect(leftHere(edge, session)).toBe(0);
    answerLeases(edge, {});
    edge.passMs(3000);
    expect(edge.leases).toHaveLength(1);
    expect(sumOf(edge, "sluice_lease_tokens_returned_total")).toBe(8);
    const next = edge.send(session);
    expect(askOut(edge)).toMatchObject({ ask: 3, applied: 2 });
    answerLeases(edge, { tokens: { "": 1 } });
    expect(next.status).toBe(200);
  });

  it("a call takes along the asks of sessions whose refusal ends within 100 ms", () => {
    const { edge, session } = leased(1);
    const other = edge.newSession();
    edge.send(other);
    edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens: { "": 1 } }) });
    edge.clock.advanceMs(60);
    for (const [one, retryAfter] of [
      [session, 500],
      [other, 580],
    ] as const) {
      edge.send(one);
      answerLeases(edge, { refused: { limit: "", retryAfter } });
    }
    edge.clock.advanceMs(500);
    expect(edge.send(other).status).toBe(429);
    edge.send(session);
    expect(edge.pendingLeases.flatMap(asksOf).map((ask) => ask.session)).toEqual([session.id, other.id]);
    expect(edge.pendingLeases).toHaveLength(1);
  });

  it("what another worker spends from is not given back", () => {
    const { edge, session } = leased(30, { workers: 2 });
    for (let ms = 0; ms < 1000; ms += 100) {
      edge.send(session, 1);
      edge.passMs(100);
    }
    expect(edge.leases).toEqual([]);
    edge.passMs(1600);
    expect(askOut(edge).back).toEqual({ "": 19_000_000 });
  });

  it("a call has the asks of many sessions, as many as fit into its body", () => {
    const limits = Array.from({ length: 7 }, (_, at) => limit(`${at}`.padEnd(32, "x"), 9_000_000));
    const settings = { table: { capacity: 16_384 } };
    const edge = new Edge({ policy: fleetPolicy({ maxTokens: 9_000_000, limits }), settings });
    const tokens = Object.fromEntries(["", ...limits.map(({ name }) => name)].map((name) => [name, 9_000_000]));
    for (let at = 0; at < 400; at++) {
      edge.send(edge.newSession());
      edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens }) });
    }
    edge.passMs(1600);
    const named = new Set<string>();
    for (let calls = 0; calls < 40 && edge.pendingLeases.length > 0; calls++) {
      for (const call of edge.pendingLeases) {
        expect(call.body.length).toBeLessThanOrEqual(MAX_EDGE_BODY_BYTES);
        expect(asksOf(call).length).toBeLessThanOrEqual(MAX_LEASE_ASKS);
        for (const { session } of asksOf(call)) named.add(session);
        call.answer(200, leaseAnswer(call, {}));
      }
      edge.flush();
    }
    expect(named.size).toBe(400);
  });
});
