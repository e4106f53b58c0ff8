// An edge that has no policy yet holds its requests: for how long, how many, in which order they go on, and what they get.
import { describe, expect, it } from "vitest";
import { NO_POLICY_HOLD_MS, TICK_MS } from "../../../assembly/contract.js";
import { answerAll, MAX_CALLS_OUT, sessionsOf } from "../harness/scenes/batches.js";
import { plan, policy, settings } from "../harness/scenes/documents.js";
import { requestWith, type Edge } from "../harness/scenes/edge.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { edgeWithoutPolicy, newestWatch, offer } from "../harness/scenes/policy-offer.js";

const MAX_WAITERS = 1024;
const FAILED_HOLD_MS = 500;
const two = policy({ plans: [plan({ maxTokens: 2 })] });

function starting(workers = 1): Edge {
  const edge = edgeWithoutPolicy({ workers });
  edge.flush();
  return edge;
}

describe("requests of an edge that has no policy yet", () => {
  it("requests without a policy go on when it comes, as if they had come then", () => {
    const edge = starting(2);
    const [valid, without, invented] = [edge.send(edge.newSession()), edge.send(""), edge.send("invented", 1)];
    edge.passMs(300);
    expect([valid, without, invented].map((stream) => stream.paused)).toEqual([true, true, true]);
    offer(edge.watch, two);
    edge.passMs(TICK_MS);
    edge.answerLive();
    expect([valid.status, without.status, invented.status]).toEqual([200, 401, 401]);
    expect(without.local?.body).toContain("MISSING_SESSION");
  });

  it("requests without a policy are held until 2 s after the table's start", () => {
    const edge = starting(2);
    edge.passMs(1500);
    const late = edge.send(edge.newSession(), 1);
    edge.passMs(NO_POLICY_HOLD_MS - 1500 - TICK_MS);
    expect(late.paused).toBe(true);
    edge.passMs(TICK_MS);
    expect(late.status).toBe(503);
    expect(edge.send(edge.newSession(), 0).status).toBe(503);
  });

  it("requests without a policy are answered at once by a worker that is older", () => {
    const edge = starting();
    edge.clock.advanceMs(NO_POLICY_HOLD_MS);
    const stream = edge.send(edge.newSession());
    expect(stream).toMatchObject({ status: 503, reachedUpstream: false });
    expect(stream.responseHeaders?.get("retry-after")).toBe("1");
  });

  it("a new VM in an old Envoy holds requests until it has tried the shared policy", () => {
    const edge = starting();
    edge.clock.advanceMs(NO_POLICY_HOLD_MS);
    edge.reload(0);
    expect(edge.send(edge.newSession()).paused).toBe(true);
  });

  it("requests without a policy are held for half a second where the first watch failed", () => {
    const edge = starting(2);
    const waiting = [edge.send(edge.newSession(), 0), edge.send(edge.newSession(), 1)];
    edge.watch.refuse();
    edge.passMs(FAILED_HOLD_MS - TICK_MS);
    expect(waiting.map((stream) => stream.paused)).toEqual([true, true]);
    edge.passMs(TICK_MS);
    expect(waiting.map((stream) => stream.status)).toEqual([503, 503]);
  });

  it("requests without a policy are held for half a second where no watch could be sent", () => {
    const edge = edgeWithoutPolicy();
    edge.host.dispatchResult = 2;
    const waiting = edge.send(edge.newSession());
    edge.passMs(FAILED_HOLD_MS);
    expect(waiting.status).toBe(503);
  });

  it("requests without a policy get it where the watch after a failed one brings it", () => {
    const edge = starting();
    const waiting = edge.send("invented");
    edge.watch.refuse();
    edge.passMs(400);
    if (edge.watches.at(-1)?.state === "pending") offer(newestWatch(edge), two);
    else edge.passMs(TICK_MS);
    expect([401, 503]).toContain(waiting.status ?? 401);
    edge.passMs(TICK_MS);
    expect(waiting.paused).toBe(false);
  });

  it("requests held too long get 503 with a time and a reason, and are counted", () => {
    const edge = starting();
    const plain = edge.send(edge.newSession());
    const grpc = edge.worker(0).request([...requestWith(edge.newSession()), ["content-type", "application/grpc"]]);
    edge.passMs(NO_POLICY_HOLD_MS);
    expect(plain.responseHeaders?.get("retry-after")).toBe("1");
    expect(plain.local).toMatchObject({ status: 503, details: expect.stringContaining("no_policy") as string });
    expect(plain.local?.body).toContain("LIMITER_UNAVAILABLE");
    expect(grpc.status).toBe(200);
    expect(grpc.responseHeaders?.get("grpc-status")).toBe("14");
    edge.flush();
    expect(edge.host.metrics.sum('sluice_requests_total{outcome="no_policy"}')).toBe(2);
    expect(edge.host.metrics.sum('sluice_requests_total{outcome="unavailable"}')).toBe(0);
  });

  it("requests without a policy pass unmetered by a policy whose enforcement is off", () => {
    const edge = starting();
    const waiting = [edge.send("invented"), edge.send("")];
    offer(edge.watch, policy({ enforcement: "off" }));
    edge.passMs(TICK_MS);
    expect(waiting.map((stream) => stream.reachedUpstream)).toEqual([true, true]);
  });

  it("requests without a policy go on by the settings' own where that comes first", () => {
    const edge = starting();
    const waiting = edge.send("invented");
    edge.worker(0).configure(settings(two));
    const fresh = edge.send("invented");
    expect(fresh.status).toBe(401);
    edge.passMs(NO_POLICY_HOLD_MS);
    expect(waiting.paused).toBe(false);
  });

  it("requests without a policy wait for the next where the first is rejected", () => {
    const edge = starting();
    const waiting = edge.send("invented");
    offer(edge.watch, policy({ plans: [] }), { generation: 1 });
    edge.passMs(500);
    expect(waiting.paused).toBe(true);
    offer(newestWatch(edge), two, { generation: 2 });
    edge.passMs(TICK_MS);
    expect(waiting.status).toBe(401);
  });
});

describe("the limit on requests that are held", () => {
  it("a worker holds 1,024 requests: the next is answered at once", () => {
    const edge = starting();
    const held = Array.from({ length: MAX_WAITERS }, () => edge.send(edge.newSession()));
    expect(held.every((stream) => stream.paused)).toBe(true);
    expect(edge.send(edge.newSession()).status).toBe(503);
    offer(edge.watch, policy({ enforcement: "off" }));
    edge.passMs(4 * TICK_MS);
    expect(held.every((stream) => stream.reachedUpstream)).toBe(true);
  });

  it("held requests go on in order, many sessions in a call", () => {
    const edge = starting();
    const sessions = Array.from({ length: 600 }, () => edge.newSession());
    const streams = sessions.map((session) => edge.send(session));
    offer(edge.watch, two);
    edge.passMs(TICK_MS);
    expect(edge.pendingAcquires).toHaveLength(MAX_CALLS_OUT);
    answerAll(edge, () => '{"state":"unknown","log":"a1b2c3d4e5f60718","cursor":41}');
    expect(edge.acquires.flatMap((call) => sessionsOf(call))).toEqual(sessions.map(({ id }) => id));
    expect(streams.every((stream) => stream.status === 401)).toBe(true);
  });

  it("held requests whose time is over are all answered within a tick", () => {
    const edge = starting();
    const held = Array.from({ length: MAX_WAITERS }, () => edge.send(edge.newSession()));
    edge.passMs(NO_POLICY_HOLD_MS + TICK_MS);
    expect(held.filter((stream) => stream.paused)).toHaveLength(0);
  });

  it("held requests of clients that left are not resumed, pay nothing and take no call", () => {
    const edge = starting();
    const sessions = Array.from({ length: 20 }, () => edge.newSession());
    const streams = sessions.map((session) => edge.send(session));
    for (const stream of streams.slice(0, 10)) stream.abandon();
    offer(edge.watch, two);
    edge.passMs(TICK_MS);
    answerAll(edge, () => '{"state":"unknown","log":"a1b2c3d4e5f60718","cursor":41}');
    expect(edge.acquires.flatMap((call) => sessionsOf(call))).toHaveLength(10);
    expect(streams.map((stream) => stream.status)).toEqual([
      ...Array.from({ length: 10 }, () => undefined),
      ...Array.from({ length: 10 }, () => 401),
    ]);
  });
});

describe("the lean build without a policy yet", () => {
  const lean = (): Edge => edgeWithoutPolicy({ module: filterModule("lean") });

  it("the lean build holds requests and lets them go as the full one does", () => {
    const edge = lean();
    edge.flush();
    const waiting = edge.send("invented");
    edge.passMs(500);
    expect(waiting.paused).toBe(true);
    offer(edge.watch, two);
    edge.passMs(TICK_MS);
    expect(waiting.status).toBe(401);
  });

  it("the lean build takes a policy with limit headers, adds none, and says so", () => {
    const edge = lean();
    edge.flush();
    offer(edge.watch, policy({ response: { headers: "draft" } }));
    const session = edge.sessionInTable();
    const stream = edge.send(session);
    expect(stream.status).toBe(200);
    expect(stream.responseHeaders?.get("ratelimit")).toBeUndefined();
    expect(edge.host.messages("warn").join()).toMatch(/response\.headers: none are added/);
  });

  it("the lean build answers held requests after 2 s", () => {
    const edge = lean();
    edge.flush();
    const waiting = edge.send(edge.newSession());
    edge.passMs(NO_POLICY_HOLD_MS);
    expect(waiting.status).toBe(503);
  });
});
