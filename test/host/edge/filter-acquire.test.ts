// A miss asks the control plane: what is asked, who waits for the answer, and what each answer does.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import {
  ACQUIRE_TIMEOUT_MS,
  LIFETIME_MS,
  MAX_AGE_MS,
  endedAnswer,
  liveAnswer,
  plan,
  policy,
} from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { withBitFlipped } from "../harness/scenes/tokens.js";

const MAX_WAITING = 1024;
const MAX_WAITING_OF_ONE = 256;
const UNKNOWN_REMEMBERED_MS = 5000;
const TOKEN_BITS = 288;

describe("a session that the edge does not know", () => {
  it("an unknown session is asked about once, without any part of its token", () => {
    const edge = new Edge({ nodeId: 'gw "1" é' });
    const session = edge.newSession();
    expect(edge.send(session).paused).toBe(true);
    const { callout } = edge;
    expect(callout).toMatchObject({ cluster: "sluice_control_plane", timeoutMs: ACQUIRE_TIMEOUT_MS });
    expect(Object.fromEntries(callout.headers.pairs())).toMatchObject({
      ":method": "POST",
      ":path": "/edge/v1/acquire",
      "content-type": "application/json",
      authorization: `Bearer ${edge.mint.edgeCredential}`,
    });
    const instance: unknown = expect.stringMatching(/^[0-9a-f]{16}$/);
    expect(callout.json).toEqual({ edge: 'gw "1" é', instance, session: session.id });
    expect(Buffer.from(callout.body).toString()).not.toContain(session.token);
  });

  it("an unknown session is admitted with what the control plane says it has left", () => {
    const edge = new Edge({ policy: policy({ plans: [plan(), plan({ id: 7, name: "gold", maxTokens: 100 })] }) });
    const session = edge.newSession();
    const stream = edge.send(session);
    edge.answerLive({ plan: 7, tokens: 3, consumed: 97, rev: 40, endsInMs: 5000 });
    expect(stream.status).toBe(200);
    expect(edge.admitted(session, 10)).toBe(2);
    const endsAtS = Number(edge.clock.monotonicNanos / 1_000_000_000n) + 5;
    const record = edge.table.record(session.id);
    expect(record).toMatchObject({ planId: 7, consumed: 100, rev: 43, ackedRev: 40, endsAtS, levelTokens: 0 });
    expect(record).toMatchObject({ live: true, provisional: false, token: session.token });
  });

  it("requests that wait for the same session each pay once it is answered", () => {
    const edge = new Edge();
    const session = edge.newSession();
    const streams = Array.from({ length: 5 }, () => edge.send(session));
    expect(edge.acquires).toHaveLength(1);
    edge.answerLive({ tokens: 3 });
    expect(streams.map((stream) => stream.status)).toEqual([200, 200, 200, 429, 429]);
    expect(edge.table.record(session.id)).toMatchObject({ consumed: 3, levelTokens: 0 });
  });

  it("requests above 256 of a session or 1,024 in all do not wait for an answer", () => {
    const plans = [plan({ maxTokens: 2000 })];
    const edge = new Edge({ policy: policy({ onUnreachable: "trust", plans }) });
    const sessions = Array.from({ length: MAX_WAITING / MAX_WAITING_OF_ONE }, () => edge.newSession());
    const waiting = sessions.flatMap((session) => {
      const own = Array.from({ length: MAX_WAITING_OF_ONE }, () => edge.send(session));
      expect(edge.send(session).status).toBe(503);
      return own;
    });
    expect(waiting.every((stream) => stream.paused)).toBe(true);
    expect(edge.send(edge.newSession()).status).toBe(503);
    expect(edge.acquires).toHaveLength(sessions.length);
    for (const acquire of edge.pendingAcquires) acquire.answer(200, liveAnswer({ tokens: 2000 }));
    edge.passMs(TICK_MS);
    expect(waiting.every((stream) => stream.status === 200)).toBe(true);
    expect(edge.send(edge.newSession()).paused).toBe(true);
  });

  it("a session is asked about anew when all clients that waited for it have left", () => {
    const edge = new Edge();
    const session = edge.newSession();
    edge.send(session).abandon();
    const stream = edge.send(session);
    expect(edge.acquires).toHaveLength(1);
    edge.answerLive();
    expect(stream.status).toBe(200);
  });
});

describe("a session that has ended", () => {
  it.each(["revoked", "expired"] as const)(
    "a session that is %s is denied, and not asked about again on any worker",
    (state) => {
      const edge = new Edge({ workers: 2 });
      const session = edge.newSession();
      const waiting = [edge.send(session), edge.send(session)];
      edge.callout.answer(200, endedAnswer(state));
      expect(waiting.map((stream) => stream.status)).toEqual([401, 401]);
      edge.clock.advanceMs(LIFETIME_MS - 1000);
      expect([edge.send(session, 0).status, edge.send(session, 1).status]).toEqual([401, 401]);
      expect(edge.acquires).toHaveLength(1);
    },
  );

  it("an unknown session is remembered for 5 s, then asked about again", () => {
    const edge = new Edge();
    const session = edge.newSession();
    const denied = edge.send(session);
    edge.callout.answer(200, endedAnswer("unknown"));
    expect(denied.status).toBe(401);
    edge.clock.advanceMs(UNKNOWN_REMEMBERED_MS - 1000);
    expect(edge.send(session).status).toBe(401);
    expect(edge.acquires).toHaveLength(1);
    edge.clock.advanceMs(1000);
    const asked = edge.send(session);
    edge.answerLive({ tokens: 10 });
    expect(asked.status).toBe(200);
    expect(edge.admitted(session, 20)).toBe(9);
  });

  it("an unknown answer leaves a revoked session revoked", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.acquires;
    first?.answer(200, endedAnswer("revoked"));
    second?.answer(200, endedAnswer("unknown"));
    expect(waiting.map((stream) => stream.status)).toEqual([401, 401]);
    edge.clock.advanceMs(UNKNOWN_REMEMBERED_MS + 1000);
    expect(edge.send(session).status).toBe(401);
    expect(edge.acquires).toHaveLength(2);
  });

  it("a session ends at its lifetime by the edge's own clock, without a call", () => {
    const edge = new Edge();
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ endsInMs: 10_000 });
    edge.clock.advanceMs(9_000);
    expect(edge.send(session).status).toBe(200);
    edge.clock.advanceMs(1_000);
    expect(edge.send(session).status).toBe(401);
    expect(edge.acquires).toHaveLength(1);
  });
});

describe("a session that was idle here", () => {
  it("an idle session is asked about, keeps its level, and takes plan and end", () => {
    const edge = new Edge({ policy: policy({ plans: [plan(), plan({ id: 3, name: "gold", maxTokens: 50 })] }) });
    const session = edge.sessionInTable({ tokens: 4 });
    edge.clock.advanceMs(MAX_AGE_MS);
    expect(edge.send(session).status).toBe(200);
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    const waiting = [edge.send(session), edge.send(session)];
    edge.answerLive({ plan: 3, tokens: 50, consumed: 999, endsInMs: 20_000 });
    expect(waiting.map((stream) => stream.status)).toEqual([200, 200]);
    const endsAtS = Number(edge.clock.monotonicNanos / 1_000_000_000n) + 20;
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 1, consumed: 4, planId: 3, endsAtS });
    expect(edge.acquires).toHaveLength(2);
  });

  it("an idle session is denied when the control plane says that it ended", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    const waiting = edge.send(session);
    edge.callout.answer(200, endedAnswer("expired"));
    expect(waiting.status).toBe(401);
    expect(edge.table.record(session.id)?.live).toBe(false);
  });
});

describe("invented tokens", () => {
  it("a token with one flipped bit is denied without a call, a record or a new key", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const keys = edge.host.sharedData.size;
    const before = edge.table.record(session.id);
    for (let bit = 0; bit < TOKEN_BITS; bit++) {
      expect(edge.send(withBitFlipped(session.token, bit)).status).toBe(401);
    }
    expect(edge.host.sharedData.size).toBe(keys);
    expect(edge.acquires).toHaveLength(1);
    expect(edge.table.record(session.id)).toEqual(before);
  });

  it("invented tokens never make the table grow, not even an empty one", () => {
    const edge = new Edge();
    const other = new Edge({ secret: "ab".repeat(32) });
    for (let i = 0; i < 500; i++) expect(edge.send(other.newSession()).status).toBe(401);
    expect(edge.host.sharedData.size).toBe(0);
    expect(edge.acquires).toHaveLength(0);
  });
});
