// Sessions that were admitted unverified while the control plane was away, and how they are confirmed when it is back.
import { describe, expect, it } from "vitest";
import type { Callout } from "../harness/host/callouts.js";
import { answerAll, sessionsOf } from "../harness/scenes/batches.js";
import { LIFETIME_MS, endedAnswer, liveAnswer, plan, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import type { HostCall } from "../harness/host/host-calls.js";
import type { Session } from "../harness/scenes/tokens.js";

const TICK_MS = 100;
/** Beyond any backoff: after it the control plane is asked again. */
const AFTER_BACKOFF_MS = 5000;

describe("a session that was admitted unverified", () => {
  /** Admits a session unverified and spends some of its tokens. */
  function trusted(requests: number): { edge: Edge; session: Session } {
    const edge = new Edge({ policy: policy({ plans: [plan({ maxTokens: 10 }), plan({ id: 5, name: "gold" })] }) });
    const session = edge.newSession();
    edge.send(session);
    edge.callout.timeOut();
    edge.admitted(session, requests - 1);
    return { edge, session };
  }

  /** Ticks until the worker asks about the session that it admitted unverified. */
  function askedAgain(edge: Edge): Callout {
    edge.clock.advanceMs(AFTER_BACKOFF_MS);
    edge.flush();
    return edge.callout;
  }

  it("an unverified session has its token's plan and ends by the token's own time", () => {
    const edge = new Edge({ policy: policy({ plans: [plan(), plan({ id: 5, name: "gold", maxTokens: 50 })] }) });
    const session = edge.mint.mint(edge.clock.wallMs - 100_000, 5);
    edge.send(session);
    edge.callout.timeOut();
    const endsAtS = Number(edge.clock.monotonicNanos / 1_000_000_000n) + LIFETIME_MS / 1000 - 100;
    expect(edge.table.record(session.id)).toMatchObject({ planId: 5, levelTokens: 49, endsAtS });
  });

  it("an unverified session is confirmed once with the lower level and all consumption", () => {
    const { edge, session } = trusted(3);
    const callout = askedAgain(edge);
    expect(callout.json).toMatchObject({ session: session.id });
    edge.answerLive({ tokens: 5, consumed: 20, rev: 11 });
    const confirmed = { provisional: false, levelTokens: 5, consumed: 23, rev: 14, ackedRev: 11 };
    expect(edge.table.record(session.id)).toMatchObject(confirmed);
    edge.clock.advanceMs(TICK_MS);
    edge.flush();
    expect(edge.pendingAcquires).toHaveLength(0);
  });

  it("an unverified session keeps its own level where that is the lower one", () => {
    const { edge, session } = trusted(8);
    askedAgain(edge);
    edge.answerLive({ tokens: 10 });
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 2, provisional: false });
  });

  it("an unverified session is confirmed once when two workers ask", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    for (const callout of edge.pendingAcquires) callout.timeOut();
    expect(waiting.map((stream) => stream.status)).toEqual([200, 200]);
    edge.clock.advanceMs(AFTER_BACKOFF_MS);
    edge.flush();
    expect(edge.pendingAcquires.length).toBeGreaterThan(0);
    for (const callout of edge.pendingAcquires) callout.answer(200, liveAnswer({ consumed: 30, rev: 4 }));
    expect(edge.table.record(session.id)).toMatchObject({ consumed: 32, rev: 6, ackedRev: 4, provisional: false });
  });

  it("an unverified session ends when it was revoked, and keeps its figures", () => {
    const { edge, session } = trusted(3);
    askedAgain(edge).answer(200, endedAnswer("revoked"));
    expect(edge.send(session).status).toBe(401);
    expect(edge.table.record(session.id)).toMatchObject({ live: false, consumed: 3 });
  });

  it("an unverified session is asked about at a bounded rate, and never given up", () => {
    const { edge, session } = trusted(1);
    for (let failure = 0; failure < 3; failure++) askedAgain(edge).timeOut();
    const asked = edge.acquires.length;
    for (let tick = 0; tick < 3; tick++) {
      edge.clock.advanceMs(TICK_MS);
      edge.flush();
    }
    expect(edge.acquires).toHaveLength(asked);
    askedAgain(edge);
    edge.answerLive();
    expect(edge.table.record(session.id)?.provisional).toBe(false);
  });

  it("unverified sessions are confirmed many in a call, 128 of them at a time", () => {
    const edge = new Edge({ policy: policy({ onMiss: "trust" }), settings: { table: { capacity: 4096 } } });
    const sessions = Array.from({ length: 900 }, () => edge.newSession());
    expect(sessions.every((session) => edge.send(session).status === 200)).toBe(true);
    edge.passMs(TICK_MS);
    expect(edge.pendingAcquires.map((call) => sessionsOf(call).length)).toEqual([64, 64]);
    edge.passMs(TICK_MS);
    expect(edge.pendingAcquires).toHaveLength(2);
    for (let ticks = 0; ticks < 10; ticks++) {
      answerAll(edge, () => liveAnswer({ tokens: 4 }));
      edge.passMs(TICK_MS);
    }
    const provisional = sessions.filter(({ id }) => edge.table.record(id)?.provisional !== false);
    // A few lost their place in the list to others: the sweep finds them.
    expect(provisional.length).toBeLessThan(10);
    for (let ticks = 0; ticks < 110; ticks++) {
      edge.passMs(TICK_MS);
      answerAll(edge, () => liveAnswer({ tokens: 4 }));
    }
    expect(sessions.every(({ id }) => edge.table.record(id)?.provisional === false)).toBe(true);
  });

  it("an unverified session comes at once with onMiss: trust, and is confirmed too", () => {
    const edge = new Edge({ policy: policy({ onMiss: "trust" }) });
    const session = edge.newSession();
    expect(edge.send(session).status).toBe(200);
    expect(edge.acquires).toHaveLength(0);
    edge.flush();
    edge.answerLive({ tokens: 4 });
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 4, provisional: false });
  });

  it("an unverified admission is not possible past the end of the token's own plan", () => {
    const plans = [plan({ lifetime: 1000_000, maxAge: 60_000 }), plan({ id: 5, name: "gold" })];
    const edge = new Edge({ policy: policy({ plans, onUnreachable: "trust" }) });
    const ended = edge.mint.mint(edge.clock.wallMs - 1000_000);
    const waiting = edge.send(ended);
    edge.callout.timeOut();
    expect(waiting.status).toBe(401);
    expect(edge.table.records()).toEqual([]);
  });

  it("an unverified session does not come to life while another worker revokes it", () => {
    const edge = new Edge({ workers: 2, policy: policy({ onUnreachable: "trust" }) });
    const session = edge.newSession();
    const waiting = edge.send(session, 0);
    const [timedOut] = edge.pendingAcquires;
    const denied = edge.send(session, 1);
    const revocation = edge.pendingAcquires.at(-1);
    // After the read of the set that shows no record, before the one that the trusted record would be put into.
    let reads = 0;
    const secondRead = (call: HostCall): boolean =>
      call.vm === edge.worker(0) && call.name === "clock_time_get" && ++reads === 3;
    edge.host.hooks.once("before", secondRead, () => revocation?.answer(200, endedAnswer("revoked")));
    timedOut?.timeOut();
    expect(edge.host.hooks.waiting).toBe(0);
    expect([waiting.status, denied.status]).toEqual([401, 401]);
    expect(edge.table.record(session.id)).toMatchObject({ live: false, provisional: false });
  });

  it("an unverified session of a plan that the policy lacks gets 503", () => {
    const edge = new Edge();
    const waiting = edge.send(edge.newSession(77));
    edge.callout.timeOut();
    expect(waiting.status).toBe(503);
    expect(edge.table.records()).toHaveLength(0);
  });
});
