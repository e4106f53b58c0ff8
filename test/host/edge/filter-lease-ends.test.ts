// Leases that end, and answers that are lost, late, or of a former number: nothing is spent that the control plane counts
// otherwise.
import { describe, expect, it } from "vitest";
import { FLAG_REFRESH, LEASE_TTL_MS, RECORD_FLAGS_AT, RECORD_LEVEL_AT } from "../../../assembly/contract.js";
import { Edge } from "../harness/scenes/edge.js";
import {
  answerLeases,
  askOut,
  fleetPolicy,
  leaseAnswer,
  leased,
  leaseOf,
  leftHere,
  sumOf,
} from "../harness/scenes/leases.js";
import { get } from "../harness/scenes/limits.js";

/** After so long, times of an annex stand for others. */
const ROUND_MS = 2 ** 32;
const LONG_MS = 100 * 86_400_000;
const DEAR = { routes: [{ match: { path: "/dear" }, cost: 5 }] };

describe("the end of a lease", () => {
  it("a lease is spent up to its end, counted from when it was asked for", () => {
    const edge = new Edge({ policy: fleetPolicy() });
    const session = edge.newSession();
    edge.send(session);
    edge.clock.advanceMs(200);
    edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens: { "": 50 } }) });
    edge.clock.advanceMs(LEASE_TTL_MS - 201);
    expect(edge.send(session).status).toBe(200);
    edge.clock.advanceMs(1);
    expect(edge.send(session).paused).toBe(true);
    expect(askOut(edge).left, "the control plane counts it as spent").toBeUndefined();
    answerLeases(edge, { tokens: { "": 4 } });
    expect(leftHere(edge, session)).toBe(3);
  });

  it("an answer that comes after its lease's end grants nothing", () => {
    const { edge, session } = leased(1);
    const stream = edge.send(session);
    edge.clock.advanceMs(LEASE_TTL_MS);
    answerLeases(edge, { tokens: { "": 50 } });
    expect(stream.reachedUpstream).toBe(false);
    expect(leftHere(edge, session)).toBe(0);
  });

  it("what was left of a lease that ended meanwhile does not come back with the next", () => {
    const { edge, session } = leased(8, { policy: fleetPolicy({}, DEAR) });
    edge.clock.advanceMs(LEASE_TTL_MS - 10);
    expect(get(edge, session, "/dear").status).toBe(200);
    const dear = get(edge, session, "/dear");
    expect(askOut(edge).left).toEqual({ "": 2_000_000 });
    edge.clock.advanceMs(100);
    answerLeases(edge, { tokens: { "": 5 } });
    expect(dear.status).toBe(200);
    expect(leftHere(edge, session)).toBe(0);
  });

  it("a worker that was stopped between two host calls spends no lease that another has left", () => {
    const { edge, session } = leased(3, { workers: 2 });
    edge.host.hooks.once(
      "before",
      ({ vm, name }) => vm === edge.worker(0) && name === "proxy_set_shared_data",
      () => {
        edge.clock.advanceMs(5000);
        edge.send(session, 1);
      },
    );
    const stopped = edge.send(session, 0);
    expect(stopped.reachedUpstream).toBe(false);
    expect(leftHere(edge, session)).toBe(0);
  });

  it("what is left of a fraction is said to be a whole microtoken", () => {
    const { edge, session } = leased(1);
    edge.table.patch(session.id, (record) => record.writeBigInt64LE(500_000_000_001n, RECORD_LEVEL_AT));
    edge.clock.advanceMs(60);
    edge.send(session);
    expect(askOut(edge).left).toEqual({ "": 500_001 });
  });

  it("a lease of 49 days ago is not revived by an answer about its session", () => {
    const long = { maxAge: LONG_MS, lifetime: LONG_MS };
    const edge = new Edge({ policy: fleetPolicy(long) });
    const session = edge.newSession();
    edge.send(session);
    edge.answerLive({ tokens: 0, endsInMs: LONG_MS, lease: leaseOf(1, { tokens: { "": 9 } }) });
    edge.clock.advanceMs(ROUND_MS + 500);
    edge.table.patch(session.id, (record) => record.writeUInt8(FLAG_REFRESH, RECORD_FLAGS_AT));
    const stream = edge.send(session);
    edge.answerLive({ tokens: 0, endsInMs: LONG_MS, rev: 1, consumed: 1 });
    expect([stream.paused, leftHere(edge, session)]).toEqual([true, 0]);
    expect(askOut(edge)).not.toHaveProperty("left");
  });

  it("an Envoy that knows no way to the control plane denies after the next tick", () => {
    const { edge, session } = leased(1);
    edge.clock.advanceMs(60);
    edge.host.dispatchResult = 2;
    const stream = edge.send(session);
    edge.passMs(100);
    expect(stream.status).toBe(503);
    expect(edge.leases).toEqual([]);
  });

  it("a lease is spent to its end while the control plane is away, then there is 503", () => {
    const { edge, session } = leased(50);
    edge.host.dispatchResult = 10;
    edge.clock.advanceMs(LEASE_TTL_MS - 1);
    expect(edge.send(session).status).toBe(200);
    edge.clock.advanceMs(1);
    const late = edge.send(session);
    edge.passMs(100);
    expect(late.status).toBe(503);
    expect(edge.send(session).status).toBe(503);
  });
});

describe("answers that are lost, late or of a former number", () => {
  it("a lost answer is asked for again a second later, under the next number", () => {
    const { edge, session } = leased(1);
    const stream = edge.send(session);
    const [lost] = edge.pendingLeases;
    lost?.timeOut();
    expect(stream.status).toBe(503);
    edge.clock.advanceMs(2000);
    const next = edge.send(session);
    expect(askOut(edge)).toMatchObject({ ask: 3, applied: 1 });
    answerLeases(edge, { tokens: { "": 2 } });
    expect(next.status).toBe(200);
    expect(leftHere(edge, session)).toBe(1);
    expect(sumOf(edge, "sluice_lease_asks_total"), "with the one of the acquire").toBe(3);
  });

  it("an answer to a former number grants nothing", () => {
    const { edge, session } = leased(1, { workers: 2 });
    edge.send(session, 0);
    const [former] = edge.pendingLeases;
    if (former === undefined) throw new Error("no call");
    edge.clock.advanceMs(1000);
    const stream = edge.send(session, 1);
    expect(edge.pendingLeases).toHaveLength(2);
    former.answer(200, leaseAnswer(former, { tokens: { "": 50 } }));
    expect(leftHere(edge, session)).toBe(0);
    answerLeases(edge, { tokens: { "": 3 } });
    expect(stream.status).toBe(200);
    expect(edge.table.record(session.id)?.annex).toMatchObject({ ask: 3, pending: 0 });
  });

  it("an ask that is stale goes on from the number that counts", () => {
    const { edge, session } = leased(1);
    edge.clock.advanceMs(60);
    const stream = edge.send(session);
    answerLeases(edge, () => ({ is: 9 }));
    expect(askOut(edge)).toMatchObject({ ask: 10, applied: 1 });
    answerLeases(edge, { tokens: { "": 3 } });
    expect(stream.status).toBe(200);
  });

  it("another number counts only while its ask is the last one here", () => {
    const { edge, session } = leased(1, { workers: 2 });
    edge.send(session, 0);
    const [former] = edge.pendingLeases;
    edge.clock.advanceMs(1000);
    edge.send(session, 1);
    former?.answer(
      200,
      leaseAnswer(former, () => ({ is: 900 })),
    );
    expect(edge.table.record(session.id)?.annex).toMatchObject({ ask: 3, pending: 2 });
  });

  it("a number far beyond is gone on from, and nothing that it granted was taken", () => {
    const { edge, session } = leased(1);
    edge.clock.advanceMs(60);
    edge.send(session);
    answerLeases(edge, () => ({ is: 8192 }));
    const { ask, applied } = askOut(edge);
    expect(ask).toBe(8193);
    expect(applied).toBeLessThan(8192);
  });

  it("an answer without a time leaves the lease's end as it was", () => {
    const { edge, session } = leased(3, { policy: fleetPolicy({}, DEAR) });
    edge.clock.advanceMs(1000);
    const dear = get(edge, session, "/dear");
    answerLeases(edge, { ttl: 0, refused: { limit: "", retryAfter: 5000 } });
    expect(dear.status).toBe(429);
    edge.clock.advanceMs(999);
    expect(edge.send(session).status).toBe(200);
    edge.clock.advanceMs(1);
    expect(leftHere(edge, session)).toBe(1);
    expect(edge.send(session).status, "the lease is over").not.toBe(200);
  });

  it("an answer that the session is over ends the lease, and the next request acquires", () => {
    const { edge, session } = leased(3, { policy: fleetPolicy({}, DEAR) });
    const dear = get(edge, session, "/dear");
    answerLeases(edge, () => ({ over: true }));
    expect(dear.paused).toBe(true);
    expect(edge.pendingAcquires).toHaveLength(1);
    expect(leftHere(edge, session)).toBe(0);
  });

  it("an answer of a log that the edge does not follow grants nothing", () => {
    const { edge, session } = leased(1);
    edge.send(session);
    answerLeases(edge, { tokens: { "": 50 } }, "0f1e2d3c4b5a6978");
    expect(leftHere(edge, session)).toBe(0);
  });

  it("an answer for a record that was made again meanwhile grants nothing", () => {
    const { edge, session } = leased(1);
    edge.send(session);
    const [former] = edge.pendingLeases;
    if (former === undefined) throw new Error("no call");
    edge.table.evict(session.id);
    edge.send(session);
    edge.answerLive({ tokens: 0, rev: 1, consumed: 1, lease: leaseOf(2, { tokens: { "": 3 } }) });
    former.answer(200, leaseAnswer(former, { tokens: { "": 50 } }));
    expect(leftHere(edge, session)).toBeLessThan(3);
  });

  it.each(["", "[]", "{}", '{"log":"a1b2c3d4e5f60718"}', '{"log":"a1b2c3d4e5f60718","leases":[{"session":1}]}'])(
    "an answer %s grants nothing, and the worker goes on",
    (text) => {
      const { edge, session } = leased(1);
      edge.send(session);
      edge.pendingLeases[0]?.answer(200, text);
      expect(leftHere(edge, session)).toBe(0);
      expect(edge.worker(0).failure).toBeUndefined();
    },
  );
});
