// A session that ends takes its open streams with it: those of every worker, and no others.
import { describe, expect, it } from "vitest";
import { TICK_MS, UNKNOWN_REMEMBERED_MS } from "../../../assembly/contract.js";
import { endedAnswer, plan, policy, settings } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import {
  contextsEntered,
  LOOKED_AT_MS,
  openStream,
  revoke,
  sessionWithStream,
  streamsClosed,
  streamThatLeft,
} from "../harness/scenes/open-streams.js";
import { offer } from "../harness/scenes/policy-offer.js";
import { readsSet } from "../harness/scenes/host-call-matches.js";

const KEEP = { sessions: { openStreams: "keep" } };

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
    const { session, stream } = streamThatLeft(edge);
    const contexts = contextsEntered(edge);
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
    const contexts = contextsEntered(edge);
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
