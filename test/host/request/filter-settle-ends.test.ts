// How a stream that settles may end, and what its session has left then: broken off before or behind the value, without a
// callback, with its worker's VM, or after its session's record has made room for others.
import { describe, expect, it } from "vitest";
import { MAX_SETTLE_NOTES, RECORDS_PER_SET } from "../../../assembly/contract.js";
import type { Stream } from "../harness/host/stream.js";
import type { PolicyDocument } from "../harness/scenes/documents.js";
import { leftOf } from "../harness/scenes/limits.js";
import { LOOKED_AT_MS } from "../harness/scenes/open-streams.js";
import { levelOf } from "../harness/scenes/routed-requests.js";
import { sessionsOfOneSet } from "../harness/scenes/same-set-sessions.js";
import {
  BY_HEADER,
  EVENT_HEADERS,
  JSON_HEADERS,
  METADATA,
  OK,
  chat,
  chatter,
  llmLeft,
  settlements,
  settling,
  settlingEdge,
  settlingOwn,
} from "../harness/scenes/settling.js";

/** Every note has been looked at by then. */
const LOOKED_AT_ALL_MS = LOOKED_AT_MS + (MAX_SETTLE_NOTES / 64) * 100;

interface Source {
  readonly name: string;
  readonly settle: PolicyDocument;
  /** What comes before the value does, and with it: 7 tokens. */
  readonly before: (stream: Stream) => void;
  readonly value: (stream: Stream) => void;
}

const send = (text: string) => (stream: Stream) => {
  stream.sendPiece(Buffer.from(text));
};
const SOURCES: readonly Source[] = [
  {
    name: "a header",
    settle: BY_HEADER,
    before: () => undefined,
    value: (stream) => {
      stream.beginResponse({ ...OK, "x-cost": "7" });
    },
  },
  {
    name: "metadata",
    settle: { metadata: ["my.filter", "cost"] },
    before: (stream) => {
      stream.beginResponse(OK);
    },
    value: (stream) => stream.attributes.set(METADATA, "7"),
  },
  {
    name: "a JSON document",
    settle: { json: "/total" },
    before: (stream) => {
      stream.beginResponse(JSON_HEADERS);
      send('{"text":"","tot')(stream);
    },
    value: send('al":7,"text":"'),
  },
  {
    name: "an event",
    settle: { json: "/total" },
    before: (stream) => {
      stream.beginResponse(EVENT_HEADERS);
      send('data: {"total":7}\n')(stream);
    },
    value: send('\ndata: {"total":9'),
  },
];

describe("a stream that breaks off", () => {
  it.each(SOURCES)("a stream that breaks off before $name said its cost pays as its route says", (source) => {
    for (const [onMissing, left] of [
      ["keep", 60],
      ["refund", 100],
    ] as const) {
      const edge = settlingEdge(settling({ ...source.settle, onMissing }));
      const session = chatter(edge);
      const stream = chat(edge, session);
      source.before(stream);
      stream.abandon();
      expect(llmLeft(edge, session), onMissing).toBe(left);
      expect(settlements(edge)).toEqual({ no_value: 1 });
    }
  });

  it.each(SOURCES)("a stream that breaks off once $name said its cost pays that", (source) => {
    for (const onMissing of ["keep", "refund"]) {
      const edge = settlingEdge(settling({ ...source.settle, onMissing }));
      const session = chatter(edge);
      const stream = chat(edge, session);
      source.before(stream);
      source.value(stream);
      stream.abandon();
      expect(llmLeft(edge, session), onMissing).toBe(93);
      expect(settlements(edge)).toEqual({ settled: 1 });
    }
  });

  it("a stream that is gone without a callback is settled with a tick, by what has come", () => {
    for (const [said, left, outcome] of [
      ['data: {"total":7}\n\ndata: {"total":9', 93, "settled"],
      ['data: {"total":7', 100, "no_value"],
    ] as const) {
      const edge = settlingEdge(settling({ json: "/total", onMissing: "refund" }));
      const session = chatter(edge);
      const stream = chat(edge, session);
      stream.beginResponse(EVENT_HEADERS);
      stream.sendPiece(Buffer.from(said));
      edge.worker(0).vanish(stream);
      expect(llmLeft(edge, session)).toBe(60);
      edge.passMs(LOOKED_AT_ALL_MS);
      expect(llmLeft(edge, session)).toBe(left);
      expect(settlements(edge)).toEqual({ [outcome]: 1 });
    }
  });
});

describe("a worker whose VM is replaced after a trap", () => {
  it("what streams had reserved when their VM trapped stays spent, and all others settle", () => {
    const edge = settlingEdge(settling({ ...BY_HEADER, onMissing: "refund" }), { workers: 2 });
    const session = chatter(edge);
    chat(edge, session, 0);
    const kept = chat(edge, session, 1);
    edge.reload(0);
    edge.passMs(LOOKED_AT_ALL_MS);
    expect(llmLeft(edge, session)).toBe(20);
    kept.respond({ ...OK, "x-cost": "7" });
    expect(llmLeft(edge, session)).toBe(53);
    chat(edge, session, 0).respond({ ...OK, "x-cost": "5" });
    expect(llmLeft(edge, session)).toBe(48);
    edge.passMs(LOOKED_AT_ALL_MS);
    expect(llmLeft(edge, session)).toBe(48);
    expect(settlements(edge)).toEqual({ settled: 2 });
  });

  it("a reservation of the plan's own bucket is never consumed once its VM has trapped", () => {
    const edge = settlingEdge(settlingOwn(BY_HEADER));
    const session = chatter(edge);
    chat(edge, session);
    edge.reload(0);
    edge.passMs(LOOKED_AT_ALL_MS);
    expect(levelOf(edge, session)).toBe(59);
    expect(edge.table.record(session.id)?.consumed).toBe(1);
  });
});

describe("a session whose record makes room for others while its request is under way", () => {
  /** With their annexes they fill their set; the first has a request under way, which was reported, and is idle longest. */
  function evictedWith(document: PolicyDocument, bySet: number) {
    const edge = settlingEdge(document);
    const sessions = sessionsOfOneSet(edge, bySet + 1);
    const [session, newest] = [sessions[0], sessions.pop()];
    if (session === undefined || newest === undefined) throw new Error("sessions are needed");
    const enter = (one: typeof session, answer = {}): void => {
      const waiting = edge.send(one);
      edge.answerLive({ tokens: 100, levels: {}, ...answer });
      expect(waiting.status).toBe(200);
      edge.clock.advanceMs(1);
    };
    enter(session);
    const stream = chat(edge, session);
    for (const other of sessions.slice(1)) enter(other);
    const before = edge.table.record(session.id);
    edge.takeReports();
    enter(newest);
    expect(edge.table.record(session.id)).toBeUndefined();
    const levels = { llm: before?.annex?.levelsTokens[0] ?? 100 };
    const figures = { tokens: before?.levelTokens, consumed: before?.consumed, rev: before?.rev, levels };
    const comeBack = (): void => {
      enter(session, figures);
    };
    return { edge, session, stream, comeBack };
  }

  it("a session that was evicted and is back gets what its request had reserved too much", () => {
    const { edge, session, stream, comeBack } = evictedWith(settling(BY_HEADER), RECORDS_PER_SET / 2);
    comeBack();
    expect(leftOf(edge, session, 1)).toEqual([97, 60]);
    stream.respond({ ...OK, "x-cost": "7" });
    expect(leftOf(edge, session, 1)).toEqual([97, 93]);
    expect(settlements(edge)).toEqual({ settled: 1 });
  });

  it("a session that was evicted and is back has consumed what its request cost", () => {
    const { edge, session, stream, comeBack } = evictedWith(settlingOwn(BY_HEADER), RECORDS_PER_SET);
    comeBack();
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 58, consumed: 2 });
    stream.respond({ ...OK, "x-cost": "7" });
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 91, consumed: 9 });
  });

  it("a session that is evicted when its request settles keeps its reservation, and is counted", () => {
    const { edge, session, stream, comeBack } = evictedWith(settling(BY_HEADER), RECORDS_PER_SET / 2);
    stream.respond({ ...OK, "x-cost": "7" });
    expect(settlements(edge)).toEqual({ no_record: 1 });
    comeBack();
    expect(leftOf(edge, session, 1)).toEqual([97, 60]);
  });
});
