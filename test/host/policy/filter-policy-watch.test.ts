// What the watch says of the policy, and when a newer watch replaces the one that is out.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { bellOf, logCursorOf } from "../harness/scenes/edge-keys.js";
import { CURSOR, LOG, OTHER_LOG, plan, policy, settings, watchAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { edgeWithoutPolicy, policyInWatch, newestWatch, offer, policyHash } from "../harness/scenes/policy-offer.js";

const BACKOFF_MS = 500;
const NO_HOST = 10;
const five = policy({ plans: [plan({ maxTokens: 5 })] });
const six = policy({ plans: [plan({ maxTokens: 6 })] });
const hashOf = (document: object): string => policyHash(JSON.stringify(document));

/** Two workers with generation 7 in force: the first leads, and its watch is out. */
function following(): Edge {
  const edge = edgeWithoutPolicy({ workers: 2 });
  edge.flush();
  edge.watch.answer(200, watchAnswer({ cursor: CURSOR }));
  offer(edge.watch, five, { generation: 7 });
  edge.passMs(TICK_MS);
  return edge;
}

/** The second worker has the bell say something that the leader's watch does not: as if it had led for a moment. */
function ringBehindTheLeader(edge: Edge, document: object, generation: number): void {
  edge.clock.advanceMs(3100);
  edge.worker(1).tick();
  offer(newestWatch(edge), document as Record<string, unknown>, { generation });
  edge.clock.advanceMs(3100);
}

describe("the watch that an edge holds", () => {
  it("a watch names no policy before the first, then log, generation, hash and state", () => {
    const edge = edgeWithoutPolicy();
    edge.flush();
    expect(policyInWatch(edge.watch)).toBeUndefined();
    offer(edge.watch, five, { generation: 7, log: OTHER_LOG });
    expect(policyInWatch(edge.watch)).toEqual({ log: OTHER_LOG, generation: 7, hash: hashOf(five), state: "ok" });
  });

  it("a watch says that it follows, also where settings have their own policy", () => {
    const edge = new Edge();
    edge.flush();
    expect(edge.watch.json).toMatchObject({ follow: true });
    expect(policyInWatch(edge.watch)).toBeUndefined();
  });

  it("a watch is replaced once the policy has a result, not while it is being tried", () => {
    const edge = following();
    const held = edge.watch;
    ringBehindTheLeader(edge, six, 8);
    edge.worker(0).tick();
    expect(newestWatch(edge)).not.toBe(held);
    expect(newestWatch(edge).vm.name).toBe(edge.worker(0).name);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 8, state: "ok" });
    const sent = edge.watches.length;
    edge.passMs(1000);
    expect(edge.watches).toHaveLength(sent);
  });

  it("a late answer to a replaced watch changes nothing", () => {
    const edge = following();
    const held = edge.watch;
    ringBehindTheLeader(edge, six, 8);
    edge.worker(0).tick();
    const logCursor = logCursorOf(edge.host.sharedData);
    const [bell, sent] = [bellOf(edge.host.sharedData), edge.watches.length];
    held.answer(200, watchAnswer({ cursor: CURSOR + 5 }));
    edge.passMs(TICK_MS);
    expect(logCursorOf(edge.host.sharedData)).toEqual(logCursor);
    expect(bellOf(edge.host.sharedData)).toEqual(bell);
    expect(edge.watches).toHaveLength(sent);
    newestWatch(edge).answer(200, watchAnswer({ cursor: CURSOR + 5 }));
    expect(logCursorOf(edge.host.sharedData)).toMatchObject({ cursor: CURSOR + 5 });
  });

  it("a late answer to a replaced watch changes nothing even if it is a policy", () => {
    const edge = following();
    const held = edge.watch;
    ringBehindTheLeader(edge, six, 8);
    edge.worker(0).tick();
    offer(held, five, { generation: 9 });
    expect(bellOf(edge.host.sharedData)).toMatchObject({ generation: 8 });
  });

  it("a newer watch that could not be sent goes out after the hold-back, with the news", () => {
    const edge = following();
    ringBehindTheLeader(edge, six, 8);
    edge.host.dispatchResult = NO_HOST;
    edge.worker(0).tick();
    edge.host.dispatchResult = 0;
    edge.passMs(BACKOFF_MS + TICK_MS);
    expect(newestWatch(edge).vm.name).toBe(edge.worker(0).name);
    expect(policyInWatch(newestWatch(edge))).toMatchObject({ generation: 8, state: "ok" });
  });

  it("a revocation in the older watch's answer holds where the newer could not be sent", () => {
    const edge = edgeWithoutPolicy({ workers: 2 });
    edge.flush();
    // Sent before the edge had a log: its answer begins at the log's head.
    offer(edge.watch, five, { generation: 7 });
    edge.passMs(TICK_MS);
    const held = edge.watch;
    const session = edge.sessionInTable({ cursor: CURSOR });
    ringBehindTheLeader(edge, six, 8);
    edge.host.dispatchResult = NO_HOST;
    edge.worker(0).tick();
    edge.host.dispatchResult = 0;
    // The session was revoked at CURSOR + 1, before the answer that names only the head.
    held.answer(200, watchAnswer({ cursor: CURSOR + 9 }));
    edge.passMs(BACKOFF_MS + TICK_MS);
    expect(newestWatch(edge).json).toMatchObject({ log: LOG, since: CURSOR });
    newestWatch(edge).answer(200, watchAnswer({ revoked: [session.id], cursor: CURSOR + 9 }));
    expect(edge.send(session).status).toBe(401);
  });
});

describe("a watch without an answer while an edge has a policy", () => {
  it.each([
    ["rate limited", 429],
    ["failed", 500],
    ["unauthorized", 401],
  ])("a watch that was %s is sent again after the hold-back, never at once", (_what, status) => {
    const edge = following();
    const sent = edge.watches.length;
    edge.watch.answer(status);
    edge.passMs(2 * TICK_MS);
    expect(edge.watches).toHaveLength(sent);
    edge.passMs(BACKOFF_MS);
    expect(edge.watches).toHaveLength(sent + 1);
    expect(policyInWatch(edge.watch)).toMatchObject({ generation: 7 });
  });
});

describe("settings that do not follow", () => {
  const own = policy({ plans: [plan({ maxTokens: 3 })] });

  it("settings that do not follow say so on the watch, and no policy is kept", () => {
    const edge = new Edge({ policy: own, settings: { follow: false } });
    edge.flush();
    expect(edge.watch.json).toMatchObject({ follow: false });
    offer(edge.watch, five, { generation: 7 });
    edge.passMs(TICK_MS);
    expect(bellOf(edge.host.sharedData)).toBeUndefined();
    const session = edge.sessionInTable({ tokens: 2 });
    expect(edge.admitted(session, 5)).toBe(2);
  });

  it("settings that stop following say so on the next watch, and ignore late answers", () => {
    const edge = following();
    const held = edge.watch;
    for (const worker of edge.workers) worker.configure(settings(own, { follow: false }));
    expect(held.state).toBe("cancelled");
    edge.passMs(TICK_MS);
    expect(newestWatch(edge).json).toMatchObject({ follow: false, policy: { generation: 7 } });
  });

  it("settings replaced while a request is under way replace their watch too", () => {
    const edge = new Edge();
    edge.flush();
    const waiting = edge.send(edge.newSession());
    const held = edge.watch;
    edge.worker(0).configure(settings(own, { follow: false }));
    edge.passMs(TICK_MS);
    expect(newestWatch(edge)).not.toBe(held);
    expect(newestWatch(edge).json).toMatchObject({ follow: true });
    offer(held, five, { generation: 7 });
    expect(bellOf(edge.host.sharedData)).toBeUndefined();
    edge.answerLive();
    expect(waiting.status).toBe(200);
    edge.passMs(TICK_MS);
    expect(newestWatch(edge).json).toMatchObject({ follow: false });
  });
});
