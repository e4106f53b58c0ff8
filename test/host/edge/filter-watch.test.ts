// An invalidation reaches the table: what a held watch answers is written before the edge says that it has come so far.
import { describe, expect, it } from "vitest";
import { FILTER_VERSION, MAX_NAME_CHARS, MAX_WATCH_ENTRIES, TICK_MS } from "../../../assembly/contract.js";
import { isLogCursorKey, logCursorOf } from "../harness/scenes/edge-keys.js";
import { CURSOR, LOG, OTHER_LOG, watchAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { writesSet } from "../harness/scenes/host-call-matches.js";
import { watchedEdge } from "../harness/scenes/watched-edge.js";

/** After a failed watch, at the longest. */
const BACKOFF_MS = 500;

describe("a watch", () => {
  it("a watch says who asks, its cursor in which log, and what the edge is", () => {
    const edge = watchedEdge();
    expect(edge.watch.json).toEqual({
      edge: "edge-1",
      instance: (edge.acquires[0]?.json as { instance: string }).instance,
      log: LOG,
      since: CURSOR,
      follow: true,
      filter: { version: FILTER_VERSION, build: expect.stringMatching(/^[0-9a-f]{16}$/) as string, policyFormat: 1 },
      table: { name: "default", capacity: 1024, records: 0 },
      wallMs: edge.host.clock.wallMs,
    });
    expect(edge.watch.headers.get("x-sluice-edge")).toBe("edge-1");
    expect(edge.watch.headers.get("authorization")).toBe(`Bearer ${edge.mint.edgeCredential}`);
    expect(edge.watch.timeoutMs).toBeGreaterThan(20_000);
  });

  it("a watch names the table of its settings, and what time it is there when it is sent", () => {
    const name = "a".repeat(MAX_NAME_CHARS);
    const edge = new Edge({ settings: { table: { name, capacity: 1024 } } });
    edge.flush();
    edge.host.clock.jumpWallMs(-3_600_000);
    const wallMs = edge.host.clock.wallMs;
    edge.watch.answer(200, watchAnswer({ cursor: 1 }));
    expect(edge.watch.json).toMatchObject({ table: { name }, wallMs });
  });

  it("a watch names no log while the edge has none, and begins at the head that it gets", () => {
    const edge = new Edge();
    edge.flush();
    expect(edge.watch.json).not.toHaveProperty("log");
    edge.watch.answer(200, watchAnswer({ cursor: 77 }));
    expect(logCursorOf(edge.host.sharedData)).toEqual({ log: LOG, cursor: 77, seenLog: LOG, seen: 77 });
    expect(edge.watch.json).toMatchObject({ log: LOG, since: 77 });
  });

  it("a watch leaves a log that an acquire has begun meanwhile where it is", () => {
    const edge = new Edge();
    edge.flush();
    edge.sessionInTable();
    expect(logCursorOf(edge.host.sharedData)).toEqual({ log: LOG, cursor: CURSOR, seenLog: LOG, seen: CURSOR });
    edge.watch.answer(200, watchAnswer({ cursor: 78 }));
    expect(edge.watch.json).toMatchObject({ log: LOG, since: CURSOR });
  });

  it("a watch that named no log goes on from the one that an acquire has begun", () => {
    const edge = new Edge();
    edge.flush();
    edge.sessionInTable();
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR + 9 }));
    expect(logCursorOf(edge.host.sharedData)).toEqual({ log: LOG, cursor: CURSOR, seenLog: LOG, seen: CURSOR });
    expect(edge.watch.json).toMatchObject({ log: LOG, since: CURSOR });
  });

  it("a watch is sent again from the last one's answer, not from a tick", () => {
    const edge = watchedEdge();
    for (let cursor = CURSOR; cursor < CURSOR + 5; cursor++) {
      expect(edge.watch.json).toMatchObject({ since: cursor });
      edge.watch.answer(200, watchAnswer({ cursor: cursor + 1 }));
    }
  });

  it("a watch that failed is sent again from the same cursor after a short backoff", () => {
    const edge = watchedEdge();
    for (const status of [503, 500, 429]) {
      edge.watch.answer(status);
      edge.flush();
      expect(edge.watches.some((watch) => watch.state === "pending")).toBe(false);
      edge.passMs(BACKOFF_MS + TICK_MS);
      expect(edge.watch.json).toMatchObject({ log: LOG, since: CURSOR });
    }
  });

  it("a watch that cannot be dispatched is tried again", () => {
    const edge = new Edge();
    edge.host.dispatchResult = 2;
    edge.passMs(1000);
    expect(edge.watches).toHaveLength(0);
    edge.host.dispatchResult = 0;
    edge.passMs(BACKOFF_MS + TICK_MS);
    expect(edge.watches).toHaveLength(1);
  });

  it.each([
    ["no cursor", JSON.stringify({ log: LOG, revoked: [], refresh: [] })],
    ["a cursor as text", JSON.stringify({ log: LOG, cursor: "42", revoked: [], refresh: [] })],
    ["ids that are none", JSON.stringify({ log: LOG, cursor: 42, revoked: [7], refresh: [] })],
    ["too many", watchAnswer({ revoked: Array.from({ length: MAX_WATCH_ENTRIES + 1 }, () => "x") })],
    ["half of it", watchAnswer({}).slice(0, -1)],
  ])("a watch answered with %s leaves the cursor as it was", (_what, body) => {
    const edge = watchedEdge();
    edge.watch.answer(200, body);
    expect(logCursorOf(edge.host.sharedData)).toMatchObject({ cursor: CURSOR, seen: CURSOR });
    edge.passMs(BACKOFF_MS + TICK_MS);
    expect(edge.watch.json).toMatchObject({ since: CURSOR });
  });

  it("a watch skips ids that are none, and goes on", () => {
    const edge = watchedEdge();
    const session = edge.sessionInTable();
    edge.watch.answer(200, watchAnswer({ revoked: ["", "not-an-id", session.id.toUpperCase(), session.id] }));
    expect(edge.send(session).status).toBe(401);
    expect(logCursorOf(edge.host.sharedData)?.cursor).toBe(CURSOR + 1);
  });
});

describe("the order of what the leader writes", () => {
  it("the leader writes the head, then every named set, then its cursor", () => {
    const edge = watchedEdge();
    const [revoked, refreshed, ended] = [edge.sessionInTable(), edge.sessionInTable(), edge.sessionInTable()];
    edge.watch.answer(200, watchAnswer({ revoked: [ended.id] }));
    const written: string[] = [];
    edge.host.hooks.each(
      "after",
      (call) => call.name === "proxy_set_shared_data",
      (call) => {
        const logCursor = logCursorOf(edge.host.sharedData);
        if (isLogCursorKey(call.key)) written.push(`cursor ${logCursor?.cursor ?? 0} ${logCursor?.seen ?? 0}`);
        else if (edge.table.isSetKey(call.key)) written.push("set");
      },
    );
    const named = { revoked: [revoked.id, ended.id], refresh: [refreshed.id], cursor: CURSOR + 6 };
    edge.watch.answer(200, watchAnswer(named));
    const [first, last] = [`cursor ${CURSOR + 1} ${CURSOR + 6}`, `cursor ${CURSOR + 6} ${CURSOR + 6}`];
    expect(written).toEqual([first, "set", "set", "set", last]);
  });

  it("the leader keeps its cursor and repeats the watch while a set cannot be written", () => {
    const edge = watchedEdge(2);
    const session = edge.sessionInTable({ tokens: 9 });
    const { watch } = edge;
    const contended = edge.host.hooks.each("before", writesSet(edge, watch.vm), () => {
      edge.table.patch(session.id, (record) => record.writeUInt8(record.readUInt8(0), 0));
    });
    watch.answer(200, watchAnswer({ revoked: [session.id] }));
    contended();
    expect(logCursorOf(edge.host.sharedData)).toMatchObject({ cursor: CURSOR, seen: CURSOR + 1 });
    expect(edge.table.record(session.id)?.live).toBe(true);
    edge.passMs(BACKOFF_MS + TICK_MS);
    expect(edge.watch.json).toMatchObject({ since: CURSOR });
    edge.watch.answer(200, watchAnswer({ revoked: [session.id] }));
    expect(edge.send(session).status).toBe(401);
    expect(logCursorOf(edge.host.sharedData)).toMatchObject({ cursor: CURSOR + 1 });
  });

  it("the leader writes nothing for an answer of another log than its watch named", () => {
    const edge = watchedEdge();
    const session = edge.sessionInTable();
    edge.watch.answer(200, watchAnswer({ revoked: [session.id], log: OTHER_LOG, cursor: 5000 }));
    expect(edge.table.record(session.id)?.live).toBe(true);
    expect(logCursorOf(edge.host.sharedData)).toEqual({ log: LOG, cursor: CURSOR, seenLog: LOG, seen: CURSOR });
  });
});
