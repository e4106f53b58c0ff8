// When the control plane cannot be asked: what the policy says for it, and what follows once it can.
import { describe, expect, it } from "vitest";
import { FLAG_REFRESH, FLAG_UNCONFIRMED, RECORD_FLAGS_AT } from "../../assembly/contract.js";
import { Edge, LIFETIME_MS, MAX_AGE_MS, endedAnswer, plan, policy } from "./edge.js";
import type { Callout } from "./callouts.js";
import type { Session } from "./tokens.js";

const TICK_MS = 100;
/** Twice the longest backoff: after it the control plane is asked again. */
const AFTER_BACKOFF_MS = 5000;

/** All the ways in which a call brings no answer about its session. */
const failures: [string, (callout: Callout) => void][] = [
  [
    "a timeout",
    (callout): void => {
      callout.timeOut();
    },
  ],
  [
    "a refused connection",
    (callout): void => {
      callout.refuse();
    },
  ],
  [
    "a broken connection",
    (callout): void => {
      callout.reset();
    },
  ],
  [
    "status 500",
    (callout): void => {
      callout.answer(500, '{"error":{}}');
    },
  ],
  [
    "status 429",
    (callout): void => {
      callout.answer(429);
    },
  ],
  [
    "status 200 with an empty body",
    (callout): void => {
      callout.answer(200);
    },
  ],
  [
    "status 200 with something else than JSON",
    (callout): void => {
      callout.answer(200, "<html>");
    },
  ],
  [
    "status 200 with half an answer",
    (callout): void => {
      callout.answer(200, '{"state":"live","plan":0');
    },
  ],
  [
    "status 200 with 100 KB",
    (callout): void => {
      callout.answer(200, " ".repeat(100_000));
    },
  ],
];

describe.each(failures)("after %s", (_name, fail) => {
  it("a new session with a valid token is admitted under its plan with onUnreachable: trust", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "trust" }) });
    const session = edge.newSession();
    const stream = edge.send(session);
    fail(edge.callout);
    expect(stream.status).toBe(200);
    expect(edge.admitted(session, 20)).toBe(9);
    expect(edge.table.record(session.id)).toMatchObject({ provisional: true, live: true });
  });

  it("a new session is told that the limiter is unavailable with onUnreachable: deny", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    const waiting = edge.send(edge.newSession());
    fail(edge.callout);
    expect(waiting).toMatchObject({ status: 503, reachedUpstream: false });
    expect(edge.table.records()).toHaveLength(0);
  });

  it("a session in the table goes on, idle or not, under both", () => {
    for (const onUnreachable of ["trust", "deny"]) {
      const edge = new Edge({ policy: policy({ onUnreachable }) });
      const session = edge.sessionInTable({ tokens: 2 });
      edge.clock.advanceMs(MAX_AGE_MS + 1);
      const waiting = edge.send(session);
      fail(edge.callout);
      expect(waiting.status).toBe(200);
      expect(edge.admitted(session, 5)).toBe(1);
    }
  });
});

describe("a call that Envoy does not send", () => {
  it.each([2, 10])("with status %i follows onUnreachable at once", (dispatchResult) => {
    const trusting = new Edge({ policy: policy({ onUnreachable: "trust" }) });
    const denying = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    for (const edge of [trusting, denying]) edge.host.dispatchResult = dispatchResult;
    expect(trusting.send(trusting.newSession()).status).toBe(200);
    expect(denying.send(denying.newSession()).status).toBe(503);
    trusting.host.dispatchResult = 0;
    expect(trusting.send(trusting.newSession()).paused).toBe(true);
    denying.host.dispatchResult = 0;
    expect(denying.send(denying.newSession()).paused).toBe(true);
  });
});

describe("a record that the edge was told to ask about", () => {
  it("marked refresh: its next request waits for an answer, and goes on with its own level", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 4 });
    mark(edge, session, FLAG_REFRESH);
    const waiting = edge.send(session);
    expect(waiting.paused).toBe(true);
    edge.answerLive({ tokens: 10 });
    expect(waiting.status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 3, refresh: false });
  });

  it("marked refresh: stands as it is when the control plane cannot be asked, under trust and deny", () => {
    for (const onUnreachable of ["trust", "deny"]) {
      const edge = new Edge({ policy: policy({ onUnreachable }) });
      const session = edge.sessionInTable({ tokens: 2 });
      mark(edge, session, FLAG_REFRESH);
      const waiting = edge.send(session);
      edge.callout.timeOut();
      expect(waiting.status).toBe(200);
      expect(edge.table.record(session.id)?.levelTokens).toBe(1);
    }
  });

  it.each([
    ["trust", 200],
    ["deny", 503],
  ])("marked unconfirmed: does not stand then, and onUnreachable %s decides: %i", (onUnreachable, status) => {
    const edge = new Edge({ policy: policy({ onUnreachable }) });
    const session = edge.sessionInTable({ tokens: 2 });
    mark(edge, session, FLAG_REFRESH | FLAG_UNCONFIRMED);
    const waiting = edge.send(session);
    edge.callout.timeOut();
    expect(waiting.status).toBe(status);
    // During the backoff it is not asked about again, and is decided the same way.
    expect(edge.send(session).status).toBe(status);
  });

  /** Sets flags in the session's record, as news of the control plane does. */
  function mark(edge: Edge, session: Session, flags: number): void {
    edge.table.patch(session.id, (record) => record.writeUInt8(flags, RECORD_FLAGS_AT));
  }
});

describe("the backoff after a failure", () => {
  it("lets requests of idle sessions go on without waiting, then asks again", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const other = edge.sessionInTable();
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    edge.send(session);
    edge.callout.timeOut();
    expect(edge.send(other).status).toBe(200);
    expect(edge.host.pendingCallouts).toHaveLength(0);
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    expect(edge.send(other).paused).toBe(true);
  });
});

describe("a session that was admitted on trust", () => {
  /** Admits a session on trust and spends some of its tokens. */
  function trusted(requests: number): { edge: Edge; session: Session } {
    const edge = new Edge({ policy: policy({ plans: [plan({ maxTokens: 10 }), plan({ id: 5, name: "gold" })] }) });
    const session = edge.newSession();
    edge.send(session);
    edge.callout.timeOut();
    edge.admitted(session, requests - 1);
    return { edge, session };
  }

  /** Ticks until the worker asks about the session that it trusted. */
  function askedAgain(edge: Edge): Callout {
    edge.clock.advanceMs(AFTER_BACKOFF_MS);
    edge.flush();
    return edge.callout;
  }

  it("has the plan that its token names and ends by the token's own time", () => {
    const edge = new Edge({ policy: policy({ plans: [plan(), plan({ id: 5, name: "gold", maxTokens: 50 })] }) });
    const session = edge.mint.mint(edge.clock.wallMs - 100_000, 5);
    edge.send(session);
    edge.callout.timeOut();
    const endsAtS = Number(edge.clock.monotonicNanos / 1_000_000_000n) + LIFETIME_MS / 1000 - 100;
    expect(edge.table.record(session.id)).toMatchObject({ planId: 5, levelTokens: 49, endsAtS });
  });

  it("is asked about again by its worker, and confirmed once with the lower level and all that was consumed", () => {
    const { edge, session } = trusted(3);
    const callout = askedAgain(edge);
    expect(callout.json).toMatchObject({ session: session.id });
    edge.answerLive({ tokens: 5, consumed: 20, rev: 11 });
    const confirmed = { provisional: false, levelTokens: 5, consumed: 23, rev: 14, ackedRev: 11 };
    expect(edge.table.record(session.id)).toMatchObject(confirmed);
    edge.clock.advanceMs(TICK_MS);
    edge.flush();
    expect(edge.host.pendingCallouts).toHaveLength(0);
  });

  it("keeps its own level where that is the lower one", () => {
    const { edge, session } = trusted(8);
    askedAgain(edge);
    edge.answerLive({ tokens: 10 });
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 2, provisional: false });
  });

  it("is confirmed once when two workers ask", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    for (const callout of edge.host.pendingCallouts) callout.timeOut();
    expect(waiting.map((stream) => stream.status)).toEqual([200, 200]);
    edge.clock.advanceMs(AFTER_BACKOFF_MS);
    edge.flush();
    expect(edge.host.pendingCallouts.length).toBeGreaterThan(0);
    for (const callout of edge.host.pendingCallouts) callout.answer(200, liveAnswerWith(30, 4));
    expect(edge.table.record(session.id)).toMatchObject({ consumed: 32, rev: 6, ackedRev: 4, provisional: false });
  });

  it("ends when the control plane says that it was revoked, and keeps its figures", () => {
    const { edge, session } = trusted(3);
    askedAgain(edge).answer(200, endedAnswer("revoked"));
    expect(edge.send(session).status).toBe(401);
    expect(edge.table.record(session.id)).toMatchObject({ live: false, consumed: 3 });
  });

  it("is asked about again and again while the control plane is away, at a bounded rate, and never given up", () => {
    const { edge, session } = trusted(1);
    for (let failure = 0; failure < 3; failure++) askedAgain(edge).timeOut();
    const asked = edge.host.callouts.length;
    for (let tick = 0; tick < 3; tick++) {
      edge.clock.advanceMs(TICK_MS);
      edge.flush();
    }
    expect(edge.host.callouts).toHaveLength(asked);
    askedAgain(edge);
    edge.answerLive();
    expect(edge.table.record(session.id)?.provisional).toBe(false);
  });

  it("comes at once with onMiss: trust, and is confirmed the same way", () => {
    const edge = new Edge({ policy: policy({ onMiss: "trust" }) });
    const session = edge.newSession();
    expect(edge.send(session).status).toBe(200);
    expect(edge.host.callouts).toHaveLength(0);
    edge.flush();
    edge.answerLive({ tokens: 4 });
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 4, provisional: false });
  });

  it("is not possible under a plan that the policy lacks: 503", () => {
    const edge = new Edge();
    const waiting = edge.send(edge.newSession(77));
    edge.callout.timeOut();
    expect(waiting.status).toBe(503);
    expect(edge.table.records()).toHaveLength(0);
  });
});

function liveAnswerWith(consumed: number, rev: number): string {
  return JSON.stringify({
    ...{ state: "live", plan: 0, endsInMs: LIFETIME_MS, level: 10_000_000, consumed, rev, budgetSpent: false },
    ...{ log: "a1b2c3d4", cursor: 41 },
  });
}
