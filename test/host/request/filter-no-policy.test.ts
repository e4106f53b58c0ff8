// An edge that has no policy yet holds its requests: for how long, how many, in which order they go on, and what they get.
import { describe, expect, it } from "vitest";
import { NO_POLICY_HOLD_MS, TICK_MS } from "../../../assembly/contract.js";
import { plan, policy, settings } from "../harness/scenes/documents.js";
import { requestWith, type Edge } from "../harness/scenes/edge.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { edgeWithoutPolicy, newestWatch, offer } from "../harness/scenes/policy-offer.js";

const MAX_WAITERS = 1024;
const MAX_CALLS = 256;
const FAILED_HOLD_MS = 500;
const two = policy({ plans: [plan({ maxTokens: 2 })] });

function starting(workers = 1): Edge {
  const edge = edgeWithoutPolicy({ workers });
  edge.flush();
  return edge;
}

describe("requests of an edge that has no policy yet", () => {
  it("go on when the policy comes, as if they had come then", () => {
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

  it("are held until 2 s after the table's start, each worker's alike, and no longer", () => {
    const edge = starting(2);
    edge.passMs(1500);
    const late = edge.send(edge.newSession(), 1);
    edge.passMs(NO_POLICY_HOLD_MS - 1500 - TICK_MS);
    expect(late.paused).toBe(true);
    edge.passMs(TICK_MS);
    expect(late.status).toBe(503);
    expect(edge.send(edge.newSession(), 0).status).toBe(503);
  });

  it("are answered at once by a worker that is older", () => {
    const edge = starting();
    edge.clock.advanceMs(NO_POLICY_HOLD_MS);
    const stream = edge.send(edge.newSession());
    expect(stream).toMatchObject({ status: 503, reachedUpstream: false });
    expect(stream.responseHeaders?.get("retry-after")).toBe("1");
  });

  it("are held again by a VM that is new in an old Envoy: it has yet to try the policy that the others run", () => {
    const edge = starting();
    edge.clock.advanceMs(NO_POLICY_HOLD_MS);
    edge.reload(0);
    expect(edge.send(edge.newSession()).paused).toBe(true);
  });

  it("are held for half a second where the first watch has failed, on every worker", () => {
    const edge = starting(2);
    const waiting = [edge.send(edge.newSession(), 0), edge.send(edge.newSession(), 1)];
    edge.watch.refuse();
    edge.passMs(FAILED_HOLD_MS - TICK_MS);
    expect(waiting.map((stream) => stream.paused)).toEqual([true, true]);
    edge.passMs(TICK_MS);
    expect(waiting.map((stream) => stream.status)).toEqual([503, 503]);
  });

  it("are held for half a second where the first watch could not be sent", () => {
    const edge = edgeWithoutPolicy();
    edge.host.dispatchResult = 2;
    const waiting = edge.send(edge.newSession());
    edge.passMs(FAILED_HOLD_MS);
    expect(waiting.status).toBe(503);
  });

  it("get the policy where the watch after the failed one brings it in time", () => {
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

  it("are denied with 503, a time to come again and a reason, and counted", () => {
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
    expect(edge.host.metrics.sum("sluice_requests.outcome.no_policy")).toBe(2);
    expect(edge.host.metrics.sum("sluice_requests.outcome.unavailable")).toBe(0);
  });

  it("are let go unmetered by a policy whose enforcement is off", () => {
    const edge = starting();
    const waiting = [edge.send("invented"), edge.send("")];
    offer(edge.watch, policy({ enforcement: "off" }));
    edge.passMs(TICK_MS);
    expect(waiting.map((stream) => stream.reachedUpstream)).toEqual([true, true]);
  });

  it("go on by their settings' own policy where settings with one come first", () => {
    const edge = starting();
    const waiting = edge.send("invented");
    edge.worker(0).configure(settings(two));
    const fresh = edge.send("invented");
    expect(fresh.status).toBe(401);
    edge.passMs(NO_POLICY_HOLD_MS);
    expect(waiting.paused).toBe(false);
  });

  it("stay held where the first policy is rejected, and go on with the next", () => {
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

describe("the bound of requests that are held", () => {
  it("is 1,024 a worker: the next is answered at once, and a place that is free again is taken", () => {
    const edge = starting();
    const held = Array.from({ length: MAX_WAITERS }, () => edge.send(edge.newSession()));
    expect(held.every((stream) => stream.paused)).toBe(true);
    expect(edge.send(edge.newSession()).status).toBe(503);
    offer(edge.watch, policy({ enforcement: "off" }));
    edge.passMs(4 * TICK_MS);
    expect(held.every((stream) => stream.reachedUpstream)).toBe(true);
  });

  it("lets no more go on a tick than calls are free, in the order in which they came", () => {
    const edge = starting();
    const sessions = Array.from({ length: 600 }, () => edge.newSession());
    const streams = sessions.map((session) => edge.send(session));
    offer(edge.watch, two);
    edge.passMs(TICK_MS);
    const asked = (): string[] => edge.pendingAcquires.map((call) => (call.json as { session: string }).session);
    expect(asked()).toEqual(sessions.slice(0, MAX_CALLS).map(({ id }) => id));
    edge.passMs(TICK_MS);
    expect(edge.pendingAcquires).toHaveLength(MAX_CALLS);
    for (let left = sessions.length; left > 0; left -= MAX_CALLS) {
      for (const call of edge.pendingAcquires)
        call.answer(200, '{"state":"unknown","log":"a1b2c3d4e5f60718","cursor":41}');
      edge.passMs(TICK_MS);
    }
    expect(edge.acquires.map((call) => (call.json as { session: string }).session)).toEqual(
      sessions.map(({ id }) => id),
    );
    expect(streams.every((stream) => stream.status === 401)).toBe(true);
  });

  it("answers all whose time is over in one tick, however few calls are free", () => {
    const edge = starting();
    const held = Array.from({ length: MAX_WAITERS }, () => edge.send(edge.newSession()));
    edge.passMs(NO_POLICY_HOLD_MS);
    expect(held.filter((stream) => stream.paused)).toHaveLength(0);
  });

  it("holds nothing for clients that left: they are not resumed, pay nothing and take no call", () => {
    const edge = starting();
    const sessions = Array.from({ length: 20 }, () => edge.newSession());
    const streams = sessions.map((session) => edge.send(session));
    for (const stream of streams.slice(0, 10)) stream.abandon();
    offer(edge.watch, two);
    edge.passMs(TICK_MS);
    expect(edge.pendingAcquires).toHaveLength(10);
    for (const call of edge.pendingAcquires)
      call.answer(200, '{"state":"unknown","log":"a1b2c3d4e5f60718","cursor":41}');
    expect(streams.map((stream) => stream.status)).toEqual([
      ...Array.from({ length: 10 }, () => undefined),
      ...Array.from({ length: 10 }, () => 401),
    ]);
  });
});

describe("the lean build without a policy yet", () => {
  const lean = (): Edge => edgeWithoutPolicy({ module: filterModule("lean") });

  it("holds requests and lets them go as the full one does", () => {
    const edge = lean();
    edge.flush();
    const waiting = edge.send("invented");
    edge.passMs(500);
    expect(waiting.paused).toBe(true);
    offer(edge.watch, two);
    edge.passMs(TICK_MS);
    expect(waiting.status).toBe(401);
  });

  it("takes a policy that asks for limit headers, adds none to what passes, and says so", () => {
    const edge = lean();
    edge.flush();
    offer(edge.watch, policy({ response: { headers: "draft" } }));
    const session = edge.sessionInTable();
    const stream = edge.send(session);
    expect(stream.status).toBe(200);
    expect(stream.responseHeaders?.get("ratelimit")).toBeUndefined();
    expect(edge.host.messages("warn").join()).toMatch(/response\.headers: none are added/);
  });

  it("answers after 2 s", () => {
    const edge = lean();
    edge.flush();
    const waiting = edge.send(edge.newSession());
    edge.passMs(NO_POLICY_HOLD_MS);
    expect(waiting.status).toBe(503);
  });
});
