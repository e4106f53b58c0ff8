// A revocation is final once the edge has heard of it, against every acquire that comes late: forced, one order a test.
import { describe, expect, it } from "vitest";
import { FLAG_REFRESH, FLAG_UNCONFIRMED, RECORDS_PER_SET, RECORD_FLAGS_AT } from "../../assembly/contract.js";
import type { Callout } from "./callouts.js";
import { isPlaceKey, placeOf } from "./edge-keys.js";
import { ACQUIRE_TIMEOUT_MS, CURSOR, Edge, OTHER_LOG, endedAnswer, liveAnswer, policy, watchAnswer } from "./edge.js";
import type { HostCall } from "./host-calls.js";
import { sessionsOfOneSet } from "./set-mates.js";
import type { Stream } from "./stream.js";
import type { Session } from "./tokens.js";

const UNKNOWN_REMEMBERED_MS = 5000;

/** Worker 0 leads and watches; a request of a session that the table lacks waits on worker 1. */
interface Scene {
  readonly edge: Edge;
  readonly session: Session;
  readonly waiting: Stream;
  readonly acquire: Callout;
  readonly revoke: () => void;
}

function scene(onUnreachable = "deny"): Scene {
  const edge = new Edge({ workers: 2, policy: policy({ onUnreachable }) });
  // Another session of the same set, so that the set is there.
  const [mate, session] = sessionsOfOneSet(edge, 2);
  if (mate === undefined || session === undefined) throw new Error("two sessions are needed");
  edge.send(mate);
  edge.answerLive();
  edge.flush();
  const waiting = edge.send(session, 1);
  const revoke = (): void => {
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
  };
  return { edge, session, waiting, acquire: edge.callout, revoke };
}

/** What the control plane says of a session after its revocation. */
const afterwards = endedAnswer("revoked", 60_000, CURSOR + 1);

function expectRefused({ edge, session, waiting }: Scene): void {
  expect(waiting.paused).toBe(true);
  expect(edge.table.record(session.id)).toBeUndefined();
  edge.callout.answer(200, afterwards);
  expect(waiting).toMatchObject({ status: 401, reachedUpstream: false });
  expect([0, 1].map((worker) => edge.send(session, worker).status)).toEqual([401, 401]);
}

type Match = (call: HostCall) => boolean;
const setCall =
  (of: Scene, name: string): Match =>
  (call) =>
    call.vm === of.edge.worker(1) && call.name === name && of.edge.table.isSetKey(call.key);

describe("a revocation that the edge hears of while a positive answer is under way", () => {
  it("before the answer's set is read: the answer is out of date and asked again", () => {
    const here = scene();
    here.revoke();
    here.acquire.answer(200, liveAnswer());
    expectRefused(here);
  });

  it.each(["before", "after"] as const)("right %s the answer's read of the set: asked again", (moment) => {
    const here = scene();
    here.edge.host.hooks.once(moment, setCall(here, "proxy_get_shared_data"), here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expectRefused(here);
  });

  it("between its read of the place and its write: the write is refused, and it is asked again", () => {
    const here = scene();
    const readsPlace: Match = (call) =>
      call.vm === here.edge.worker(1) && call.name === "proxy_get_shared_data" && isPlaceKey(call.key);
    here.edge.host.hooks.once("after", readsPlace, here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expectRefused(here);
  });

  it("right before its write: the write is refused, for the leader wrote the set though nothing changed in it", () => {
    const here = scene();
    here.edge.host.hooks.once("before", setCall(here, "proxy_set_shared_data"), here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expectRefused(here);
  });

  it("right after its write: the leader finds the record and ends it; what waited was let in before", () => {
    const here = scene();
    here.edge.host.hooks.once("after", setCall(here, "proxy_set_shared_data"), here.revoke);
    here.acquire.answer(200, liveAnswer());
    expect(here.edge.host.hooks.waiting).toBe(0);
    expect(here.waiting.status).toBe(401);
    expect(here.edge.table.record(here.session.id)?.live).toBe(false);
  });

  it.each(["before", "after"] as const)("right %s the set is created, which was absent: asked again", (moment) => {
    const edge = new Edge({ workers: 2, policy: policy({ onUnreachable: "deny" }) });
    const [session] = sessionsOfOneSet(edge, 1);
    if (session === undefined) throw new Error("a session is needed");
    edge.sessionInTable();
    edge.flush();
    const waiting = edge.send(session, 1);
    const sets = edge.table.setKeys().length;
    const creates: Match = (call) => call.vm === edge.worker(1) && call.name === "proxy_set_shared_data";
    const revoke = (): void => {
      edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    };
    edge.host.hooks.once(moment, creates, revoke);
    edge.callout.answer(200, liveAnswer());
    expect(edge.host.hooks.waiting).toBe(0);
    expect(edge.table.setKeys()).toHaveLength(sets + 1);
    expectRefused({ edge, session, waiting, acquire: edge.callout, revoke });
  });

  it("by another worker's acquire: it is in force for the answer that was made before it", () => {
    const here = scene();
    const other = here.edge.send(here.session, 0);
    here.edge.pendingAcquires.find((acquire) => acquire !== here.acquire)?.answer(200, afterwards);
    here.edge.table.patch(here.session.id, (record) => record.fill(0));
    here.acquire.answer(200, liveAnswer());
    expect(other.status).toBe(401);
    expectRefused(here);
  });
});

describe("an answer that knows less than the edge has heard of", () => {
  it.each([
    ["deny", 503],
    ["trust", 200],
  ])("is asked for 3 times, then onUnreachable %s decides: %i", (onUnreachable, status) => {
    const { edge, waiting } = scene(onUnreachable);
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR + 10 }));
    const asked = edge.acquires.length;
    for (let ask = 1; ask <= 3; ask++) {
      expect(waiting.paused).toBe(true);
      edge.callout.answer(200, liveAnswer({ cursor: CURSOR + 9 }));
    }
    expect(waiting.status).toBe(status);
    expect(edge.acquires).toHaveLength(asked + 2);
  });

  it("is taken when it knows as much", () => {
    const { edge, waiting, acquire } = scene();
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR + 10 }));
    acquire.answer(200, liveAnswer({ cursor: CURSOR + 10 }));
    expect(waiting.status).toBe(200);
  });

  it("of another log than the edge follows is asked again, and never changes the log", () => {
    const { edge, waiting, acquire } = scene();
    const place = placeOf(edge.host.sharedData);
    acquire.answer(200, liveAnswer({ log: OTHER_LOG, cursor: 1_000_000 }));
    expect(waiting.paused).toBe(true);
    expect(placeOf(edge.host.sharedData)).toEqual(place);
  });

  it("says nothing of a record that stands either: neither its end nor its plan moves", () => {
    const { edge, session, waiting, acquire } = scene();
    acquire.answer(200, liveAnswer({ tokens: 4 }));
    expect(waiting.status).toBe(200);
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR + 10 }));
    edge.table.patch(session.id, (record) => record.writeUInt8(FLAG_REFRESH, RECORD_FLAGS_AT));
    const before = edge.table.record(session.id);
    edge.send(session);
    edge.answerLive({ plan: 3, endsInMs: 5 });
    expect(edge.table.record(session.id)).toEqual(before);
  });
});

describe("a session whose revocation was the first thing that the edge heard from the control plane", () => {
  it("is not let in by an answer that was made before, though its ended record has made room for others", () => {
    const edge = new Edge({ workers: 2, policy: policy({ onUnreachable: "deny" }) });
    const [session, ...others] = sessionsOfOneSet(edge, RECORDS_PER_SET + 1);
    if (session === undefined) throw new Error("a session is needed");
    const late = edge.send(session, 0);
    const early = edge.callout;
    const refused = edge.send(session, 1);
    edge.pendingAcquires.at(-1)?.answer(200, endedAnswer("revoked", 60_000, CURSOR + 1));
    expect(refused.status).toBe(401);
    for (const other of others) {
      edge.send(other, 1);
      edge.pendingAcquires.at(-1)?.answer(200, liveAnswer({ cursor: CURSOR + 1 }));
    }
    expect(edge.table.record(session.id)).toBeUndefined();
    early.answer(200, liveAnswer());
    expect(late.reachedUpstream).toBe(false);
    expect(edge.table.record(session.id)).toBeUndefined();
  });
});

describe("an answer to an ask that was sent while a record stood", () => {
  it("makes no record when that one is gone, also if it was one that had ended as unknown", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable({ tokens: 9 });
    edge.admitted(session, 9);
    edge.table.patch(session.id, (record) => record.writeUInt8(FLAG_REFRESH, RECORD_FLAGS_AT));
    edge.send(session);
    edge.callout.answer(200, endedAnswer("unknown"));
    edge.clock.advanceMs(UNKNOWN_REMEMBERED_MS + 1000);
    const waiting = edge.send(session);
    const { callout } = edge;
    // Its figures were taken meanwhile, and it made room for another.
    edge.table.patch(session.id, (record) => record.fill(0));
    callout.answer(200, liveAnswer({ tokens: 10 }));
    expect(waiting.reachedUpstream).toBe(false);
    expect(edge.table.record(session.id)).toBeUndefined();
    edge.callout.answer(200, liveAnswer({ tokens: 0, consumed: 10, rev: 10 }));
    expect(waiting.status).toBe(429);
  });

  it("makes no record when that one was in doubt by a reset, was confirmed, and is gone", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable({ tokens: 9 });
    const doubt = (record: Buffer): number => record.writeUInt8(FLAG_REFRESH | FLAG_UNCONFIRMED, RECORD_FLAGS_AT);
    edge.table.patch(session.id, doubt);
    const waiting = edge.send(session);
    // A second reset falls between the confirmation and the spend.
    const writes: Match = (call) => call.name === "proxy_set_shared_data" && edge.table.isSetKey(call.key);
    edge.host.hooks.once("after", writes, () => {
      edge.table.patch(session.id, doubt);
    });
    edge.callout.answer(200, liveAnswer());
    expect(waiting.paused).toBe(true);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.callout.answer(200, liveAnswer());
    expect(waiting.paused).toBe(true);
    expect(edge.table.record(session.id)).toBeUndefined();
  });
});

describe("a worker that slept", () => {
  it("before its answer was read asks again, for a record may have come and gone meanwhile", () => {
    const { edge, session, waiting, acquire } = scene();
    edge.clock.advanceMs(ACQUIRE_TIMEOUT_MS + 1);
    acquire.answer(200, liveAnswer());
    expect(waiting.paused).toBe(true);
    expect(edge.table.record(session.id)).toBeUndefined();
  });

  it("between its read of the set and its write finds the write refused by whatever came between", () => {
    const here = scene();
    const { edge, session, waiting, acquire } = here;
    edge.host.hooks.once("before", setCall(here, "proxy_set_shared_data"), () => {
      edge.clock.advanceMs(ACQUIRE_TIMEOUT_MS * 10);
      edge.send(session, 0);
      edge.pendingAcquires.at(-1)?.answer(200, liveAnswer({ tokens: 3 }));
      expect(edge.admitted(session, 5, 0)).toBe(2);
    });
    acquire.answer(200, liveAnswer({ tokens: 10 }));
    expect(edge.host.hooks.waiting).toBe(0);
    expect(waiting.reachedUpstream).toBe(false);
    expect(edge.table.record(session.id)).toMatchObject({ consumed: 3, levelTokens: 0 });
  });
});
