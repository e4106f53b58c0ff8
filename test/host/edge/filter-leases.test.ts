// A fleet plan's buckets are spent from leases: the first one, and what a request does for which too little is left.
import { describe, expect, it } from "vitest";
import { liveAnswer, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { LEASE_TTL_MS } from "../../../assembly/contract.js";
import { answerLeases, askOut, fleetPolicy, leased, leaseOf, leftHere, sumOf } from "../harness/scenes/leases.js";
import { get, limit } from "../harness/scenes/limits.js";

const DEAR = { routes: [{ match: { path: "/dear" }, cost: 5 }] };

describe("the first lease of a session", () => {
  it("a session's first lease is no bucket that was given back", () => {
    const { edge } = leased(5);
    expect(sumOf(edge, "sluice_restores_total")).toBe(0);
  });

  it("an acquire under a fleet plan says when it asks and for what, and takes the lease", () => {
    const edge = new Edge({ policy: fleetPolicy({}, DEAR) });
    const session = edge.newSession();
    const at = Number(edge.clock.monotonicNanos / 1_000_000n);
    const stream = get(edge, session, "/dear");
    expect(edge.callout.json).toMatchObject({ lease: { at, cost: { "": 5_000_000 }, want: { "": 20_000_000 } } });
    edge.answerLive({ tokens: 0, lease: leaseOf(7, { tokens: { "": 12 } }) });
    expect(stream.status).toBe(200);
    expect(leftHere(edge, session)).toBe(7);
    expect(edge.table.record(session.id)?.annex).toMatchObject({ ask: 7, pending: 0 });
    expect(edge.pendingLeases).toEqual([]);
  });

  it("an acquire under an edge plan says nothing of leases", () => {
    const edge = new Edge({ policy: policy() });
    edge.send(edge.newSession());
    expect(Object.keys(edge.callout.json as object)).toEqual(["edge", "instance", "session"]);
  });

  it("a session that is refused its first lease gets 429 with the answer's Retry-After", () => {
    const edge = new Edge({ policy: fleetPolicy() });
    const session = edge.newSession();
    const stream = edge.send(session);
    edge.answerLive({ tokens: 0, lease: leaseOf(1, { refused: { limit: "", retryAfter: 2400 } }) });
    expect(stream.status).toBe(429);
    expect(stream.responseHeaders?.get("retry-after")).toBe("3");
    expect(edge.pendingLeases).toEqual([]);
  });

  it("an answer without a lease leaves the session dry, and a lease is asked for", () => {
    const edge = new Edge({ policy: fleetPolicy() });
    const session = edge.newSession();
    const stream = edge.send(session);
    edge.answerLive({ tokens: 50 });
    expect(leftHere(edge, session)).toBe(0);
    expect(askOut(edge)).toMatchObject({ session: session.id, ask: 1, applied: 0, cost: { "": 1_000_000 } });
    answerLeases(edge, { tokens: { "": 4 } });
    expect(stream.status).toBe(200);
    expect(leftHere(edge, session)).toBe(3);
  });

  it("a session of another worker's lease is spent from without a call", () => {
    const { edge, session } = leased(5, { workers: 2 });
    expect(edge.admitted(session, 2, 1)).toBe(2);
    expect(leftHere(edge, session)).toBe(2);
    expect(edge.pendingAcquires.length + edge.pendingLeases.length).toBe(0);
  });

  it("the answer to another worker's acquire adds nothing to a lease that is there", () => {
    const edge = new Edge({ policy: fleetPolicy(), workers: 2 });
    const session = edge.newSession();
    const waiting = [edge.send(session, 0), edge.send(session, 1)];
    const [first, second] = edge.pendingAcquires;
    first?.answer(200, liveAnswer({ tokens: 0, lease: leaseOf(4096, { tokens: { "": 5 } }) }));
    second?.answer(200, liveAnswer({ tokens: 0, lease: leaseOf(8192, { tokens: { "": 5 } }) }));
    expect(waiting.map(({ status }) => status)).toEqual([200, 200]);
    expect(leftHere(edge, session)).toBe(3);
  });

  it("onMiss: trust admits nobody under a fleet plan", () => {
    const edge = new Edge({ policy: fleetPolicy({}, { onMiss: "trust", onUnreachable: "trust" }) });
    const stream = edge.send(edge.newSession());
    expect(stream.paused).toBe(true);
    edge.callout.timeOut();
    expect(stream.status).toBe(503);
  });
});

describe("a request for which too little is left", () => {
  it("a dry edge asks once, and all that wait have the answer", () => {
    const { edge, session } = leased(1);
    const waiting = [edge.send(session), edge.send(session), edge.send(session)];
    expect(askOut(edge)).toEqual({
      ...{ session: session.id, ask: 2, applied: 1 },
      ...{ cost: { "": 1_000_000 }, want: { "": 4_000_000 } },
    });
    answerLeases(edge, { tokens: { "": 9 } });
    expect(waiting.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(leftHere(edge, session)).toBe(6);
    expect(sumOf(edge, "sluice_lease_waits_total")).toBe(3);
    expect(sumOf(edge, "sluice_lease_tokens_granted_total")).toBe(9);
  });

  it("a request dearer than what is left waits for more, and says what is left", () => {
    const { edge, session } = leased(4, { policy: fleetPolicy({}, DEAR) });
    const dear = get(edge, session, "/dear");
    expect(askOut(edge)).toMatchObject({ left: { "": 3_000_000 }, cost: { "": 5_000_000 } });
    expect(edge.send(session).status, "what is left is spent meanwhile").toBe(200);
    answerLeases(edge, { tokens: { "": 3 } });
    expect(dear.status).toBe(200);
    expect(leftHere(edge, session)).toBe(0);
  });

  it("a dry edge refuses without a call until retryAfter has passed, and writes nothing", () => {
    const { edge, session } = leased(1);
    const first = edge.send(session);
    answerLeases(edge, { refused: { limit: "", retryAfter: 1200 } });
    expect(first.status).toBe(429);
    const before = JSON.stringify(edge.table.record(session.id), (_, value: unknown) => String(value));
    edge.clock.advanceMs(1199);
    const refused = edge.send(session);
    expect(refused.status).toBe(429);
    expect(refused.responseHeaders?.get("retry-after")).toBe("1");
    expect(edge.pendingLeases).toEqual([]);
    expect(JSON.stringify(edge.table.record(session.id), (_, value: unknown) => String(value))).toBe(before);
    edge.clock.advanceMs(1);
    expect(edge.send(session).paused).toBe(true);
    expect(askOut(edge).ask).toBe(3);
    expect(sumOf(edge, "sluice_lease_refusals_total"), "but the one that waited").toBe(1);
  });

  it("a refusal for a day is asked about again after 5 s: something may have come back", () => {
    const { edge, session } = leased(1);
    edge.send(session);
    answerLeases(edge, { refused: { limit: "", retryAfter: 86_400_000 } });
    edge.clock.advanceMs(4999);
    const refused = edge.send(session);
    expect(refused.status).toBe(429);
    expect(refused.responseHeaders?.get("retry-after")).toBe("86396");
    edge.clock.advanceMs(1);
    expect(edge.send(session).paused).toBe(true);
  });

  it("a grant beside a refusal is spent, and more is not asked for before its time", () => {
    const { edge, session } = leased(1);
    const first = edge.send(session);
    answerLeases(edge, { tokens: { "": 3 }, refused: { limit: "", retryAfter: 700 } });
    expect([first.status, edge.admitted(session, 3)]).toEqual([200, 2]);
    edge.passMs(600);
    expect(edge.leases).toHaveLength(1);
    edge.clock.advanceMs(100);
    expect(edge.send(session).paused).toBe(true);
    expect(edge.leases).toHaveLength(2);
  });

  it("a refusal says nothing of a request that costs less", () => {
    const { edge, session } = leased(1, { policy: fleetPolicy({}, DEAR) });
    const dear = get(edge, session, "/dear");
    answerLeases(edge, { refused: { limit: "", retryAfter: 5000 } });
    expect(dear.status).toBe(429);
    edge.clock.advanceMs(60);
    expect(edge.send(session).paused).toBe(true);
    answerLeases(edge, { tokens: { "": 1 } });
    expect(edge.worker(0).failure).toBeUndefined();
    expect(get(edge, session, "/dear").paused, "what was granted ends the refusal").toBe(true);
  });

  it("a session asks at most once in 50 ms, whatever its workers want", () => {
    const { edge, session } = leased(1, { workers: 2 });
    edge.clock.advanceMs(60);
    const first = edge.send(session);
    answerLeases(edge, { tokens: { "": 1 } });
    expect(first.status).toBe(200);
    const others = [edge.send(session, 0), edge.send(session, 1)];
    edge.clock.advanceMs(49);
    others.push(edge.send(session, 0));
    expect(edge.pendingLeases).toEqual([]);
    edge.clock.advanceMs(1);
    edge.flush();
    expect(edge.leases).toHaveLength(2);
    answerLeases(edge, { tokens: { "": 9 } });
    edge.flush();
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it("a request on another worker waits for the lease that was asked for", () => {
    const { edge, session } = leased(1, { workers: 2 });
    const asking = edge.send(session, 0);
    const other = edge.send(session, 1);
    expect([asking.paused, other.paused]).toEqual([true, true]);
    expect(edge.pendingLeases).toHaveLength(1);
    answerLeases(edge, { tokens: { "": 5 } });
    expect(other.paused).toBe(true);
    edge.passMs(100);
    expect([asking.status, other.status]).toEqual([200, 200]);
    expect(edge.leases).toHaveLength(1);
  });

  it("a session that two workers find dry at once is asked about by one", () => {
    const { edge, session } = leased(1, { workers: 2 });
    edge.clock.advanceMs(LEASE_TTL_MS);
    let other: ReturnType<Edge["send"]> | undefined;
    let reads = 0;
    edge.host.hooks.each(
      "after",
      ({ vm, name }) => vm === edge.worker(0) && name === "proxy_get_shared_data",
      () => {
        // Between the mark's read of the set and its write.
        if (++reads === 2) other = edge.send(session, 1);
      },
    );
    const first = edge.send(session, 0);
    expect(edge.leases).toHaveLength(1);
    answerLeases(edge, { tokens: { "": 5 } });
    edge.passMs(100);
    expect([first.status, other?.status]).toEqual([200, 200]);
    expect(edge.leases).toHaveLength(1);
  });

  it("a lease that another worker got and spent meanwhile is not asked for again within 50 ms", () => {
    const { edge, session } = leased(1, { workers: 2 });
    edge.clock.advanceMs(60);
    edge.host.hooks.once(
      "after",
      ({ vm, name }) => vm === edge.worker(0) && name === "proxy_get_shared_data",
      () => {
        edge.send(session, 1);
        answerLeases(edge, { tokens: { "": 1 } });
      },
    );
    expect(edge.send(session, 0).paused).toBe(true);
    expect(edge.leases).toHaveLength(1);
    edge.passMs(100);
    expect(edge.leases).toHaveLength(2);
  });

  it("a refusal of a limit says nothing of requests that do not spend from it", () => {
    const routes = [{ match: { path: "/search" }, limits: { search: 4 } }];
    const limits = [limit("search", 20, { applies: "routes" })];
    const { edge, session } = leased(1, { policy: fleetPolicy({ limits }, { routes }) });
    const search = get(edge, session, "/search");
    answerLeases(edge, { refused: { limit: "search", retryAfter: 5000 } });
    expect(search.status).toBe(429);
    edge.clock.advanceMs(60);
    expect(edge.send(session).paused).toBe(true);
    expect(askOut(edge)).toMatchObject({ ask: 3, cost: { "": 1_000_000 } });
  });

  it("what is wanted counts the requests that were refused here as well", () => {
    const { edge, session } = leased(1);
    edge.send(session);
    answerLeases(edge, { refused: { limit: "", retryAfter: 1000 } });
    for (let ms = 0; ms < 980; ms += 20) {
      edge.clock.advanceMs(20);
      expect(edge.send(session).status).toBe(429);
    }
    edge.clock.advanceMs(20);
    edge.send(session);
    const wanted = askOut(edge).want?.[""] ?? 0;
    expect(wanted).toBeGreaterThanOrEqual(45_000_000);
    expect(wanted).toBeLessThanOrEqual(55_000_000);
  });

  it("a grant beside a refusal begins a lease, also where the one before is over", () => {
    const { edge, session } = leased(1);
    edge.clock.advanceMs(LEASE_TTL_MS);
    const first = edge.send(session);
    answerLeases(edge, { tokens: { "": 3 }, refused: { limit: "", retryAfter: 700 } });
    expect([first.status, leftHere(edge, session)]).toEqual([200, 2]);
  });

  it("a request for which others leave nothing gets 503 after a second", () => {
    const { edge, session } = leased(1, { workers: 2 });
    let waiting: ReturnType<Edge["send"]> | undefined;
    for (let round = 0; round < 12; round++) {
      edge.clock.advanceMs(100);
      edge.send(session, 0);
      answerLeases(edge, { tokens: { "": 1 } });
      waiting ??= edge.send(session, 1);
      edge.worker(1).tick();
      if (round < 10) expect(waiting.paused).toBe(true);
    }
    expect(waiting?.status).toBe(503);
  });
});
