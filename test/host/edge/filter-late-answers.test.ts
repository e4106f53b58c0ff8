// Answers that come late, or for a client that left: they change nothing that was decided meanwhile.
import { describe, expect, it } from "vitest";
import {
  ANSWER_VALID_MS,
  RECORD_LEVEL_AT,
  RECORD_REFILLED_AT_AT,
  SWEEP_ROUND_TICKS,
  TICK_MS,
} from "../../../assembly/contract.js";
import { MAX_AGE_MS, endedAnswer, liveAnswer, plan, policy } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import type { HostCall } from "../harness/host/host-calls.js";
import { readsSet, writesSet } from "../harness/scenes/host-call-matches.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";
import type { Vm } from "../harness/host/vm.js";

function twoWorkers(): { edge: Edge; a: Vm; b: Vm } {
  const edge = new Edge({ workers: 2 });
  return { edge, a: edge.worker(0), b: edge.worker(1) };
}

describe("an answer that comes late", () => {
  it("a late answer does not insert an evicted session: it is asked about again", () => {
    const edge = new Edge({ workers: 2 });
    const [idle, ...others] = sessionsOfOneSet(edge, 17);
    if (idle === undefined) throw new Error("a session is needed");
    fillSet(edge, [idle, ...others.slice(0, 15)]);
    expect(edge.admitted(idle, 20)).toBe(9);
    edge.takeReports();
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    for (const other of others.slice(0, 15)) keepAlive(edge, other);
    const waiting = edge.send(idle, 0);
    const late = edge.callout;
    edge.send(others[15] ?? idle, 1);
    edge.pendingAcquires.at(-1)?.answer(200, liveAnswer());
    expect(edge.table.record(idle.id)).toBeUndefined();
    late.answer(200, liveAnswer());
    expect(waiting.paused).toBe(true);
    expect(edge.table.record(idle.id)).toBeUndefined();
    expect(edge.callout.json).toMatchObject({ session: idle.id });
    edge.callout.answer(200, liveAnswer({ tokens: 0 }));
    expect(waiting.status).toBeDefined();
    expect(waiting.reachedUpstream).toBe(false);
  });

  it("a late answer is asked for again when the worker slept between read and write", () => {
    const { edge, a } = twoWorkers();
    const session = edge.newSession();
    const waiting = edge.send(session, 0);
    edge.host.hooks.once("after", readsSet(edge, a), () => {
      edge.clock.advanceMs(ANSWER_VALID_MS + 1);
    });
    edge.callout.answer(200, liveAnswer());
    expect(edge.host.hooks.waiting).toBe(0);
    expect(waiting.paused).toBe(true);
    expect(edge.table.record(session.id)).toBeUndefined();
    edge.callout.answer(200, liveAnswer());
    expect(waiting.status).toBe(200);
    expect(edge.acquires).toHaveLength(2);
  });

  it("a late answer is asked for at most 3 times, then onUnreachable decides", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    const waiting = edge.send(edge.newSession());
    for (let asked = 1; asked <= 3; asked++) {
      edge.clock.advanceMs(ANSWER_VALID_MS + 1);
      expect(waiting.paused).toBe(true);
      edge.callout.answer(200, liveAnswer());
    }
    expect(waiting.status).toBe(503);
    expect(edge.acquires).toHaveLength(3);
  });

  it("a late answer does not revive a session that another worker knows to be revoked", () => {
    const { edge } = twoWorkers();
    const session = edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.acquires;
    second?.answer(200, endedAnswer("revoked"));
    first?.answer(200, liveAnswer());
    expect(waiting.map((stream) => stream.status)).toEqual([401, 401]);
    expect(edge.table.record(session.id)).toMatchObject({ live: false });
    expect([edge.send(session, 0).status, edge.send(session, 1).status]).toEqual([401, 401]);
  });

  it.each(["revoked", "expired"] as const)(
    "a session that is %s ends though it came in unverified; its figures do not count",
    (state) => {
      const { edge } = twoWorkers();
      const session = edge.newSession();
      edge.send(session, 0);
      const late = edge.callout;
      edge.send(session, 1);
      edge.pendingAcquires.at(-1)?.timeOut();
      edge.clock.advanceMs(ANSWER_VALID_MS + 1);
      late.answer(200, endedWith(state, 4));
      expect(edge.table.record(session.id)).toMatchObject({ live: false, provisional: true, consumed: 1 });
      for (let tick = 0; tick < SWEEP_ROUND_TICKS && edge.pendingAcquires.length === 0; tick++) edge.passMs(TICK_MS);
      edge.callout.answer(200, endedWith(state, 6));
      const counted = { live: false, provisional: false, consumed: 7, rev: 8, ackedRev: 6 };
      expect(edge.table.record(session.id)).toMatchObject(counted);
    },
  );

  it("a late answer ends a session in another worker's spend, and the spend sees it", () => {
    const { edge, a } = twoWorkers();
    const session = edge.sessionInTable();
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    const asked = edge.send(session, 1);
    const revocation = edge.callout;
    edge.table.patch(session.id, (record) => record.writeBigUInt64LE(edge.clock.monotonicNanos / 1000n, 48));
    edge.host.hooks.once("before", writesSet(edge, a), () => {
      revocation.answer(200, endedAnswer("revoked"));
    });
    expect(edge.send(session, 0).status).toBe(401);
    expect(asked.status).toBe(401);
    expect(edge.table.record(session.id)).toMatchObject({ live: false, levelTokens: 9 });
  });

  it("a late answer takes no time back where another worker spent later", () => {
    const plans = [plan({ maxTokens: 10, tokenRefillRate: 1 })];
    const edge = new Edge({ workers: 2, policy: policy({ plans }) });
    const session = edge.sessionInTable({ tokens: 0 });
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    const waiting = edge.send(session, 0);
    const readsClock = (call: HostCall): boolean => call.vm === edge.worker(0) && call.name === "clock_time_get";
    const answer = edge.callout;
    edge.table.patch(session.id, (record) => {
      record.writeBigUInt64LE(edge.clock.monotonicNanos / 1000n, RECORD_REFILLED_AT_AT);
      record.writeBigInt64LE(0n, RECORD_LEVEL_AT);
    });
    edge.host.hooks.once("after", readsClock, () => {
      edge.clock.advanceMs(3000);
      expect(edge.admitted(session, 5, 1)).toBe(3);
    });
    answer.answer(200, liveAnswer());
    expect(edge.host.hooks.waiting).toBe(0);
    expect(waiting.status).toBe(429);
    expect(edge.admitted(session, 5, 1)).toBe(0);
  });
});

describe("a client that leaves while it waits", () => {
  it("a client that leaves pays nothing, and the others that wait go on", () => {
    const { edge } = twoWorkers();
    const session = edge.newSession();
    const [first, second, third] = [0, 0, 0].map(() => edge.send(session));
    second?.abandon();
    edge.answerLive();
    expect([first?.status, second?.status, third?.status]).toEqual([200, undefined, 200]);
    expect(second?.reachedUpstream).toBe(false);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 8, consumed: 2 });
  });

  it("a client that leaves alone leaves a record that the next request finds", () => {
    const { edge } = twoWorkers();
    const session = edge.newSession();
    edge.send(session).abandon();
    edge.answerLive();
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 10, rev: 0 });
    expect(edge.send(session).status).toBe(200);
    expect(edge.acquires).toHaveLength(1);
  });

  it("a client that leaves gets no answer of a revocation either", () => {
    const { edge } = twoWorkers();
    const stream = edge.send(edge.newSession());
    stream.abandon();
    edge.callout.answer(200, endedAnswer("revoked"));
    expect(stream.local).toBeUndefined();
    expect(edge.worker(0).failure).toBeUndefined();
  });
});

/** A negative answer with the figures that this edge had reported. */
function endedWith(state: "revoked" | "expired", consumed: number): string {
  return JSON.stringify({ ...(JSON.parse(endedAnswer(state)) as object), consumed, rev: consumed });
}

/** Puts sessions that are known to share a set into the table. */
function fillSet(edge: Edge, sessions: readonly { token: string; id: string }[]): void {
  for (const session of sessions) {
    edge.worker(0).request(requestWith(session.token));
    edge.answerLive();
  }
}

/** A request after the session was idle: the control plane says that it lives. */
function keepAlive(edge: Edge, session: { token: string; id: string }): void {
  edge.send(session.token);
  edge.answerLive();
}
