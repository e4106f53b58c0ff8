// A session that ends takes its open streams with it: those of every worker, and no others.
import { describe, expect, it } from "vitest";
import { MAX_OPEN_STREAMS, TICK_MS, UNKNOWN_REMEMBERED_MS } from "../../../assembly/contract.js";
import {
  endedAnswer,
  liveAnswer,
  MAX_AGE_MS,
  plan,
  policy,
  REPORT_INTERVAL_MS,
  reportAnswer,
  settings,
  watchAnswer,
} from "../harness/scenes/documents.js";
import { run } from "../harness/host/guest.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { LOOKED_AT_MS, openStream, sessionWithStream, streamsClosed } from "../harness/scenes/open-streams.js";
import { sessionsOf } from "../harness/scenes/batches.js";
import { offer } from "../harness/scenes/policy-offer.js";
import { readsSet } from "../harness/scenes/host-call-matches.js";
import type { Session } from "../harness/scenes/tokens.js";

/** What the control plane allows an edge to be late with before a session is idle. */
const GRACE_MS = 2 * REPORT_INTERVAL_MS + 10_000;
const KEEP = { sessions: { openStreams: "keep" } };
const MANY = plan({ maxTokens: 9_000_000 });

function revoke(edge: Edge, ...sessions: Session[]): void {
  edge.watch.answer(200, watchAnswer({ revoked: sessions.map(({ id }) => id) }));
}

describe("a session that ends while a stream of it is open", () => {
  it("a revoked session's streams end on every worker, and no other session's", () => {
    const edge = new Edge({ workers: 2 });
    const [revoked, other] = [edge.sessionInTable(), edge.sessionInTable()];
    const streams = [0, 1].map((worker) => openStream(revoked, edge.worker(worker)));
    const bystanders = [0, 1].map((worker) => openStream(other, edge.worker(worker)));
    edge.passMs(LOOKED_AT_MS);
    expect([...streams, ...bystanders].map(({ state }) => state)).toEqual(Array(4).fill("streaming"));
    revoke(edge, revoked);
    edge.passMs(200);
    expect(streams.map(({ state }) => state)).toEqual(["closed", "closed"]);
    expect(bystanders.map(({ state }) => state)).toEqual(["streaming", "streaming"]);
    expect(streamsClosed(edge)).toBe(2);
  });

  it("a stream ends with the session's lifetime", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ endsInMs: 5000 });
    const stream = openStream(session, edge.worker(0));
    edge.passMs(3900);
    expect(stream.state).toBe("streaming");
    edge.passMs(2000);
    expect(stream.state).toBe("closed");
  });

  it("a request whose answer has not begun after a second ends too", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const slow = edge.worker(0).open([
      [":method", "GET"],
      [":path", "/"],
      [":authority", "service.test"],
      ["x-session-id", session.token],
    ]);
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, session);
    edge.passMs(200);
    expect(slow).toMatchObject({ state: "closed", status: undefined });
  });

  it("a request that is over in a second is never looked up", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    openStream(session, edge.worker(0));
    let reads = 0;
    edge.host.hooks.each("after", readsSet(edge, edge.worker(0)), () => (reads += 1));
    // The leader's own round over the table reads each set once in 10 s.
    edge.passMs(LOOKED_AT_MS - 100);
    expect(reads).toBeLessThanOrEqual(1);
  });

  it("a stream that ended by itself is forgotten: nothing is closed twice", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    stream.abandon();
    revoke(edge, session);
    edge.passMs(500);
    expect(stream.state).toBe("abandoned");
    expect(streamsClosed(edge)).toBe(0);
  });

  it("a stream that is gone when its end is due is passed over, and the next one is closed", () => {
    const edge = new Edge();
    const [first, second] = [edge.sessionInTable(), edge.sessionInTable()];
    const streams = [first, second].map((session) => openStream(session, edge.worker(0)));
    edge.passMs(LOOKED_AT_MS);
    // As if it had ended after the look and before the call, and no callback had said so yet.
    const enters = (name: string) => name === "proxy_set_effective_context";
    edge.host.hooks.once(
      "before",
      ({ name }) => enters(name),
      () => {
        edge.worker(0).vanish(streams[0]);
      },
    );
    revoke(edge, first, second);
    edge.passMs(500);
    expect(edge.host.hooks.waiting).toBe(0);
    expect(streams.map(({ state }) => state)).toEqual(["streaming", "closed"]);
    expect(streamsClosed(edge)).toBe(1);
  });

  it("a stream whose client leaves in the turn of its answer is looked at once, and forgotten", () => {
    const edge = new Edge();
    const [vm, session] = [edge.worker(0), edge.newSession()];
    const stream = vm.open(requestWith(session));
    // Envoy has told of the stream's end, and frees its context only once this turn is over.
    run(vm.enter(stream, "proxy_on_delete", stream.id));
    edge.answerLive();
    vm.vanish(stream);
    const contexts: number[] = [];
    edge.host.hooks.each(
      "before",
      ({ name }) => name === "proxy_set_effective_context",
      ({ args }) => contexts.push(Number(args[0])),
    );
    edge.passMs(LOOKED_AT_MS + 500);
    expect(contexts).toEqual([stream.id]);
    revoke(edge, session);
    edge.passMs(500);
    expect(contexts).toEqual([stream.id]);
    expect(streamsClosed(edge)).toBe(0);
  });

  it("a stream with the filter twice in its chain is ended by one of the two", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const [first, second] = [openStream(session, edge.worker(0)), openStream(session, edge.worker(0))];
    second.properties = first.properties;
    const closes: string[] = [];
    edge.host.hooks.each(
      "after",
      ({ name }) => name === "proxy_close_stream",
      ({ name }) => closes.push(name),
    );
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, session);
    edge.passMs(500);
    expect(closes).toHaveLength(1);
    expect([first.state, second.state]).toEqual(["closed", "streaming"]);
  });

  it("a stream that was looked at or closed is left: the rest of the tick is the root's", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    const contexts: number[] = [];
    edge.host.hooks.each(
      "before",
      ({ name }) => name === "proxy_set_effective_context",
      ({ args }) => contexts.push(Number(args[0])),
    );
    const aTick = [stream.id, edge.worker(0).roots()[0]?.id];
    edge.passMs(TICK_MS);
    expect(contexts).toEqual(aTick);
    revoke(edge, session);
    edge.passMs(500);
    expect(contexts).toEqual([...aTick, ...aTick]);
  });
});

describe("a policy that says what becomes of open streams", () => {
  it("streams outlive their session under openStreams: keep, until the policy says otherwise", () => {
    const edge = new Edge({ policy: policy(KEEP) });
    const { session, stream } = sessionWithStream(edge);
    revoke(edge, session);
    edge.passMs(2000);
    expect(stream.state).toBe("streaming");
    offer(edge.watch, policy());
    edge.passMs(500);
    expect(stream.state).toBe("closed");
  });

  it("a stream of settings that were replaced ends with its session too", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    expect(edge.worker(0).configure(settings(policy({ plans: [plan({ maxTokens: 11 })] })))).toBe(true);
    revoke(edge, session);
    edge.passMs(500);
    expect(stream.state).toBe("closed");
    expect(edge.worker(0).roots()).toHaveLength(1);
  });

  it("a session that ends in another table leaves a stream of this one open", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    const other = settings(policy(), { table: { name: "other", capacity: 1024 } });
    expect(edge.worker(0).configure(other)).toBe(true);
    edge.send(session);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.passMs(200);
    expect(stream.state).toBe("streaming");
  });

  it("a stream of a session that was unknown for a while goes by what is known since", () => {
    const edge = new Edge({ policy: policy(KEEP) });
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    const denied = edge.send(session);
    edge.callout.answer(200, endedAnswer("unknown", UNKNOWN_REMEMBERED_MS));
    edge.passMs(UNKNOWN_REMEMBERED_MS + 1000);
    const admitted = edge.send(session);
    edge.answerLive();
    expect([denied.status, admitted.status]).toEqual([401, 200]);
    offer(edge.watch, policy());
    edge.passMs(500);
    expect(stream.state).toBe("streaming");
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.passMs(200);
    expect(edge.pendingAcquires).toHaveLength(1);
    expect(stream.state).toBe("streaming");
  });

  it("a request that no session paid for keeps its stream", () => {
    const edge = new Edge({ policy: policy({ enforcement: "off" }) });
    const session = edge.newSession();
    const stream = openStream(session, edge.worker(0));
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, session);
    edge.passMs(500);
    expect(stream.state).toBe("streaming");
    expect(edge.acquires).toHaveLength(0);
  });
});

describe("a stream whose session the table is not sure of", () => {
  it("a stream that is all that its session does is asked about past the idle limit", () => {
    const edge = new Edge();
    const { stream } = sessionWithStream(edge);
    edge.passMs(MAX_AGE_MS + GRACE_MS - LOOKED_AT_MS);
    expect(edge.pendingAcquires).toHaveLength(0);
    edge.passMs(2000);
    edge.callout.answer(200, endedAnswer("expired", 0));
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a session that another edge still sees keeps its stream, and is asked about once", () => {
    const edge = new Edge();
    const { stream } = sessionWithStream(edge);
    edge.passMs(MAX_AGE_MS + GRACE_MS + 1000);
    const before = edge.acquires.length;
    edge.callout.answer(200, liveAnswer());
    edge.passMs(MAX_AGE_MS);
    expect(edge.acquires).toHaveLength(before);
    expect(stream.state).toBe("streaming");
  });

  it("a session that a report found ended is asked about, and its stream ends", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.clock.advanceMs(REPORT_INTERVAL_MS);
    edge.flush();
    edge.report.answer(200, reportAnswer([session.id]));
    edge.passMs(200);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a stream whose record was evicted is asked about as a miss is, and ends by the answer", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.passMs(200);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a stream ends by the answer also where the full set has no room to say so", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.passMs(200);
    // Each slot is another live session's now.
    edge.table.fillEmptySlots();
    edge.callout.answer(200, endedAnswer("revoked"));
    expect(edge.table.record(session.id)).toBeUndefined();
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("an evicted session that lives has a record again, and its revocation ends the stream", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    edge.passMs(200);
    edge.answerLive();
    expect(edge.table.record(session.id)?.live).toBe(true);
    revoke(edge, session);
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a stream goes on while the control plane is away, and ends once that is back", () => {
    const edge = new Edge();
    const { session, stream } = sessionWithStream(edge);
    edge.table.patch(session.id, (record) => record.fill(0));
    const before = edge.acquires.length;
    for (let seconds = 0; seconds < 60; seconds++) {
      edge.passMs(1000);
      for (const acquire of edge.pendingAcquires) acquire.timeOut();
    }
    expect(stream.state).toBe("streaming");
    // Every 30 s: it is no session that was admitted unverified.
    expect(edge.acquires.length - before).toBeLessThanOrEqual(3);
    edge.passMs(1000);
    edge.callout.answer(200, endedAnswer("revoked"));
    edge.passMs(200);
    expect(stream.state).toBe("closed");
  });

  it("a worker asks about 128 sessions of streams at a time, each once", () => {
    const edge = new Edge({ settings: { table: { capacity: 16_384 } } });
    const sessions = Array.from({ length: 200 }, () => edge.sessionInTable());
    for (const session of sessions) openStream(session, edge.worker(0));
    edge.clock.advanceMs(LOOKED_AT_MS);
    for (const { id } of sessions) edge.table.patch(id, (record) => record.fill(0));
    const askedFor = (): string[] => edge.pendingAcquires.flatMap((acquire) => sessionsOf(acquire));
    edge.flush();
    edge.flush();
    expect(askedFor()).toHaveLength(128);
    expect(new Set(askedFor()).size).toBe(128);
  });
});

describe("very many open streams", () => {
  it("a thousand streams of a worker end within two seconds of the revocation", () => {
    const edge = new Edge({ policy: policy({ plans: [MANY] }), settings: { table: { capacity: 16_384 } } });
    const sessions = Array.from({ length: 1000 }, () => edge.sessionInTable({ tokens: 100 }));
    const streams = sessions.map((session) => openStream(session, edge.worker(0)));
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, ...sessions);
    edge.passMs(1900);
    expect(streams.filter(({ state }) => state !== "closed")).toHaveLength(0);
  });

  it("streams beyond the table are let through, counted, and outlive their session", () => {
    const edge = new Edge({ policy: policy({ plans: [MANY] }) });
    const session = edge.sessionInTable({ tokens: 1_000_000 });
    const streams = Array.from({ length: MAX_OPEN_STREAMS }, () => openStream(session, edge.worker(0)));
    const [one, two] = [openStream(session, edge.worker(0)), openStream(session, edge.worker(0))];
    edge.flush();
    expect(edge.host.metrics.sum("sluice_streams_untracked_total")).toBe(2);
    // One that ends makes room for one.
    streams[17]?.abandon();
    const three = openStream(session, edge.worker(0));
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, session);
    edge.passMs(4500);
    expect([one, two, three].map(({ state }) => state)).toEqual(["streaming", "streaming", "closed"]);
    expect(streamsClosed(edge)).toBe(MAX_OPEN_STREAMS);
  });

  it("streams whose numbers fall on one place of the table are told apart", () => {
    const edge = new Edge({ policy: policy({ plans: [MANY] }) });
    const sessions = [1, 2, 3].map(() => edge.sessionInTable({ tokens: 100 }));
    const other = edge.sessionInTable({ tokens: 1_000_000 });
    const streams = sessions.map((session) => {
      const stream = openStream(session, edge.worker(0));
      for (let i = 1; i < MAX_OPEN_STREAMS; i++) edge.send(other);
      return stream;
    });
    expect(new Set(streams.map(({ id }) => id % MAX_OPEN_STREAMS)).size).toBe(1);
    // The one in the middle of their chain first.
    streams[1]?.abandon();
    streams[0]?.abandon();
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, ...sessions);
    const contexts: number[] = [];
    edge.host.hooks.each(
      "before",
      ({ name }) => name === "proxy_set_effective_context",
      ({ args }) => contexts.push(Number(args[0])),
    );
    edge.passMs(500);
    expect(streams.map(({ state }) => state)).toEqual(["abandoned", "abandoned", "closed"]);
    expect(contexts).toEqual([streams[2]?.id, edge.worker(0).roots()[0]?.id]);
  });
});
