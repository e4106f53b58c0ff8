// Answers to acquires that are out of date, by the log or by the clock: they change nothing, and are asked for again.
import { describe, expect, it } from "vitest";
import { ANSWER_VALID_MS, FLAG_REFRESH, FLAG_UNCONFIRMED, RECORD_FLAGS_AT } from "../../../assembly/contract.js";
import { logCursorOf } from "../harness/scenes/edge-keys.js";
import { CURSOR, OTHER_LOG, endedAnswer, liveAnswer, watchAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { writesSet } from "../harness/scenes/host-call-matches.js";
import type { HostCall } from "../harness/host/host-calls.js";
import { scene } from "../harness/scenes/revocation-scene.js";

const UNKNOWN_REMEMBERED_MS = 5000;

describe("an answer that is older than what the edge knows", () => {
  it.each(["deny", "trust"])("an outdated answer is asked for 3 times, then 503, under %s too", (onUnreachable) => {
    const { edge, waiting } = scene(onUnreachable);
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR + 10 }));
    const asked = edge.acquires.length;
    for (let ask = 1; ask <= 3; ask++) {
      expect(waiting.paused).toBe(true);
      edge.callout.answer(200, liveAnswer({ cursor: CURSOR + 9 }));
    }
    expect(waiting.status).toBe(503);
    expect(edge.acquires).toHaveLength(asked + 2);
  });

  it("an answer that knows as much as the edge is taken", () => {
    const { edge, waiting, acquire } = scene();
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR + 10 }));
    acquire.answer(200, liveAnswer({ cursor: CURSOR + 10 }));
    expect(waiting.status).toBe(200);
  });

  it("an answer of another log is asked for again, and never changes the log", () => {
    const { edge, waiting, acquire } = scene();
    const logCursor = logCursorOf(edge.host.sharedData);
    acquire.answer(200, liveAnswer({ log: OTHER_LOG, cursor: 1_000_000 }));
    expect(waiting.paused).toBe(true);
    expect(logCursorOf(edge.host.sharedData)).toEqual(logCursor);
  });

  it("an outdated answer moves neither the end nor the plan of a record", () => {
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

describe("an answer to a call that was sent while a record stood", () => {
  it("an answer makes no record where one that ended as unknown is gone", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable({ tokens: 9 });
    edge.admitted(session, 9);
    edge.table.patch(session.id, (record) => record.writeUInt8(FLAG_REFRESH, RECORD_FLAGS_AT));
    edge.send(session);
    edge.callout.answer(200, endedAnswer("unknown"));
    edge.clock.advanceMs(UNKNOWN_REMEMBERED_MS + 1000);
    const waiting = edge.send(session);
    const { callout } = edge;
    // Its figures were acknowledged meanwhile, and it was evicted.
    edge.table.patch(session.id, (record) => record.fill(0));
    callout.answer(200, liveAnswer({ tokens: 10 }));
    expect(waiting.reachedUpstream).toBe(false);
    expect(edge.table.record(session.id)).toBeUndefined();
    edge.callout.answer(200, liveAnswer({ tokens: 0, consumed: 10, rev: 10 }));
    expect(waiting.status).toBe(429);
  });

  it("an answer makes no record where one that a reset put in doubt is gone", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable({ tokens: 9 });
    const doubt = (record: Buffer): number => record.writeUInt8(FLAG_REFRESH | FLAG_UNCONFIRMED, RECORD_FLAGS_AT);
    edge.table.patch(session.id, doubt);
    const waiting = edge.send(session);
    // A second reset falls between the confirmation and the spend.
    const writes = (call: HostCall): boolean => call.name === "proxy_set_shared_data" && edge.table.isSetKey(call.key);
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
  it("a worker that slept before it read an answer asks again", () => {
    const { edge, session, waiting, acquire } = scene();
    edge.clock.advanceMs(ANSWER_VALID_MS + 1);
    acquire.answer(200, liveAnswer());
    expect(waiting.paused).toBe(true);
    expect(edge.table.record(session.id)).toBeUndefined();
  });

  it("a worker that slept between read and write of the set fails to write", () => {
    const { edge, session, waiting, acquire } = scene();
    edge.host.hooks.once("before", writesSet(edge, edge.worker(1)), () => {
      edge.clock.advanceMs(ANSWER_VALID_MS * 10);
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
