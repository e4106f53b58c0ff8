// Requests whose wait ends in one moment: so many go on at a time, since Envoy carries them out one within the other.
import { describe, expect, it } from "vitest";
import { NO_POLICY_HOLD_MS, TICK_MS } from "../../../assembly/contract.js";
import type { Stream } from "../harness/host/stream.js";
import { liveAnswer, plan, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { edgeWithoutPolicy } from "../harness/scenes/policy-offer.js";

const AT_ONCE = 100;
const SOON_MS = 1;
const WAITING = 250;
const TOKENS = 120;

const waitingOf = (streams: readonly Stream[]): number => streams.filter(({ paused }) => paused).length;

function waiting(): { edge: Edge; streams: Stream[] } {
  const edge = new Edge({ policy: policy({ plans: [plan({ maxTokens: 1000 })] }) });
  edge.flush();
  const session = edge.newSession();
  return { edge, streams: Array.from({ length: WAITING }, () => edge.send(session)) };
}

describe("requests whose wait ends in one moment", () => {
  it("a hundred requests go on with the answer, the others in order with ticks that come soon", () => {
    const { edge, streams } = waiting();
    edge.answerLive({ tokens: TOKENS });
    expect(waitingOf(streams.slice(0, AT_ONCE))).toBe(0);
    expect(waitingOf(streams)).toBe(WAITING - AT_ONCE);
    expect(edge.tickPeriods).toEqual([SOON_MS]);
    edge.passMs(SOON_MS);
    expect(waitingOf(streams)).toBe(WAITING - 2 * AT_ONCE);
    edge.passMs(SOON_MS);
    expect(streams.map(({ status }) => status)).toEqual(streams.map((_, at) => (at < TOKENS ? 200 : 429)));
    expect(edge.tickPeriods).toEqual([TICK_MS]);
  });

  it("a client that leaves before its turn is not resumed, and pays nothing", () => {
    const { edge, streams } = waiting();
    edge.answerLive({ tokens: TOKENS });
    for (const stream of streams.slice(AT_ONCE, AT_ONCE + 10)) stream.abandon();
    edge.passMs(TICK_MS);
    expect(streams.filter(({ status }) => status === 200)).toHaveLength(TOKENS);
    expect(waitingOf(streams.slice(AT_ONCE + 10))).toBe(0);
  });

  it("a worker does between its regular ticks nothing but let requests go on", () => {
    const { edge, streams } = waiting();
    const before = edge.pendingReports.length;
    edge.answerLive({ tokens: 1000 });
    for (let ticks = 0; ticks < 2; ticks++) edge.flush();
    expect(waitingOf(streams)).toBe(0);
    expect(edge.pendingReports).toHaveLength(before);
  });

  it("requests that wait for a policy in vain are answered by the hundred too", () => {
    const edge = edgeWithoutPolicy({ workers: 1 });
    edge.flush();
    const streams = Array.from({ length: WAITING }, () => edge.send(edge.newSession()));
    edge.clock.advanceMs(NO_POLICY_HOLD_MS);
    edge.flush();
    expect(waitingOf(streams)).toBe(WAITING - AT_ONCE);
    edge.passMs(TICK_MS);
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([503]));
  });

  it("an answer meanwhile is taken, and its requests have their turn behind those that waited", () => {
    const { edge, streams } = waiting();
    const other = edge.send(edge.newSession());
    edge.pendingAcquires[0]?.answer(200, liveAnswer({ tokens: TOKENS }));
    edge.pendingAcquires[0]?.answer(200, liveAnswer({ tokens: 5 }));
    expect([waitingOf(streams), other.paused]).toEqual([WAITING - 2 * AT_ONCE, true]);
    edge.passMs(SOON_MS);
    expect([waitingOf(streams), other.status]).toEqual([0, 200]);
  });
});
