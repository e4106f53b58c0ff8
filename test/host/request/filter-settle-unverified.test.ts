// Settling where the control plane had no say when the request was let through: sessions that were admitted unverified, and
// levels that were made without it. Whatever comes first, the answer or the settlement, no more is spent than a bucket that was full.
import { describe, expect, it } from "vitest";
import { endedAnswer, plan, policy, settings } from "../harness/scenes/documents.js";
import type { Edge } from "../harness/scenes/edge.js";
import { leftOf } from "../harness/scenes/limits.js";
import { nextReport } from "../harness/scenes/reports.js";
import { headersOf, levelOf } from "../harness/scenes/routed-requests.js";
import type { Session } from "../harness/scenes/tokens.js";
import type { Stream } from "../harness/host/stream.js";
import {
  BY_HEADER,
  chat,
  llmLeft,
  settlements,
  settling,
  settlingEdge,
  settlingOwn,
} from "../harness/scenes/settling.js";

/** Beyond any backoff: after it the control plane is asked again. */
const AFTER_BACKOFF_MS = 5000;

interface Reserved {
  readonly edge: Edge;
  readonly session: Session;
  readonly stream: Stream;
}

/** A request that was let through unverified, and reserved 40 of 100 tokens. */
function unverified(document = settling(BY_HEADER)): Reserved {
  const edge = settlingEdge(document);
  const session = edge.newSession();
  const stream = edge.worker(0).open(headersOf({ path: "/chat", session }));
  edge.callout.timeOut();
  expect(stream.state).toBe("upstream");
  expect(edge.table.record(session.id)?.provisional).toBe(true);
  return { edge, session, stream };
}

/** The control plane is back, and asked. */
function askAgain(edge: Edge): void {
  edge.clock.advanceMs(AFTER_BACKOFF_MS);
  edge.flush();
}

function respond(stream: Stream, cost: number): void {
  stream.respond({ ":status": "200", "x-cost": String(cost) });
}

describe("settling a session that was admitted unverified", () => {
  it("an unverified session that has settled takes the lower level when it is confirmed", () => {
    for (const [answered, level] of [
      [50, 50],
      [100, 93],
      [-20, -20],
    ] as const) {
      const { edge, session, stream } = unverified();
      respond(stream, 7);
      expect(llmLeft(edge, session)).toBe(93);
      askAgain(edge);
      edge.answerLive({ tokens: 1000, levels: { llm: answered } });
      expect(llmLeft(edge, session)).toBe(level);
      expect(settlements(edge)).toEqual({ settled: 1 });
    }
  });

  it("an unverified session that settles once confirmed never spends more than a full bucket", () => {
    for (const [answered, cost, level] of [
      [50, 7, 83],
      [100, 7, 93],
      [-20, 7, 13],
      [50, 130, -40],
      [-20, 130, -100],
    ] as const) {
      const { edge, session, stream } = unverified();
      askAgain(edge);
      edge.answerLive({ tokens: 1000, levels: { llm: answered } });
      expect(llmLeft(edge, session)).toBe(Math.min(answered, 60));
      respond(stream, cost);
      expect(llmLeft(edge, session), `${answered}, ${cost}`).toBe(level);
      expect(cost + llmLeft(edge, session)).toBeLessThanOrEqual(100);
    }
  });

  it("an unverified session's reservation is consumed once, beside what was reported before", () => {
    for (const isFirst of [true, false]) {
      const { edge, session, stream } = unverified(settlingOwn(BY_HEADER));
      expect([levelOf(edge, session), edge.table.record(session.id)?.consumed]).toEqual([60, 0]);
      if (isFirst) respond(stream, 7);
      askAgain(edge);
      edge.answerLive({ tokens: 50, consumed: 20, rev: 4 });
      expect(edge.table.record(session.id)?.consumed).toBe(isFirst ? 27 : 20);
      if (!isFirst) respond(stream, 7);
      expect([levelOf(edge, session), edge.table.record(session.id)?.consumed]).toEqual([isFirst ? 50 : 83, 27]);
    }
  });

  it("an unverified session that turns out to be revoked has consumed what it reserved", () => {
    const { edge, session, stream } = unverified(settlingOwn(BY_HEADER));
    askAgain(edge);
    edge.callout.answer(200, endedAnswer("revoked"));
    respond(stream, 7);
    expect(edge.table.record(session.id)).toMatchObject({ live: false, levelTokens: 60, consumed: 40 });
    expect(settlements(edge)).toEqual({ ended: 1 });
  });
});

describe("settling with levels that were made without the control plane", () => {
  /** The plan got its limit while the control plane was away. */
  function unconfirmed(): Reserved {
    const edge = settlingEdge(policy({ plans: [plan({ maxTokens: 1000 })] }));
    const session = edge.sessionInTable({ tokens: 100 });
    edge.worker(0).configure(settings(settling(BY_HEADER)));
    const stream = edge.worker(0).open(headersOf({ path: "/chat", session }));
    edge.callout.timeOut();
    expect(stream.state).toBe("upstream");
    expect(edge.table.record(session.id)?.limitsUnconfirmed).toBe(true);
    expect(leftOf(edge, session, 1)).toEqual([99, 60]);
    return { edge, session, stream };
  }

  /** The next request asks. */
  function confirm({ edge, session }: Reserved, llm: number): void {
    edge.clock.advanceMs(AFTER_BACKOFF_MS);
    const waiting = edge.worker(0).open(headersOf({ path: "/", session }));
    edge.answerLive({ tokens: 99, levels: { llm } });
    expect(waiting.state).toBe("upstream");
    expect(edge.table.record(session.id)?.limitsUnconfirmed).toBe(false);
  }

  it("a level made without the control plane is lowered by its answer, settled or not", () => {
    const reserved = unconfirmed();
    const { edge, session, stream } = reserved;
    respond(stream, 7);
    expect(llmLeft(edge, session)).toBe(93);
    // They are no figures to report, settled or not.
    const { usage = [] } = nextReport(edge).json as { usage?: unknown[][] };
    expect(usage.find(([id]) => id === session.id)).toHaveLength(5);
    confirm(reserved, 30);
    expect(llmLeft(edge, session)).toBe(30);
  });

  it("a level that the control plane has lowered meanwhile moves by the difference", () => {
    const reserved = unconfirmed();
    const { edge, session, stream } = reserved;
    confirm(reserved, 30);
    expect(llmLeft(edge, session)).toBe(30);
    respond(stream, 7);
    expect(llmLeft(edge, session)).toBe(63);
    expect(settlements(edge)).toEqual({ settled: 1 });
    chat(edge, session).respond({ ":status": "200", "x-cost": "200" });
    expect(llmLeft(edge, session)).toBe(-100);
  });
});
