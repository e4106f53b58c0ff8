// More open streams than a tick looks at, than a tick ends, and than a worker keeps.
import { describe, expect, it } from "vitest";
import { MAX_OPEN_STREAMS, MAX_OPEN_STREAMS_OF_SESSION, TICK_MS } from "../../../assembly/contract.js";
import { plan, policy } from "../harness/scenes/documents.js";
import type { Stream } from "../harness/host/stream.js";
import { Edge } from "../harness/scenes/edge.js";
import { readsSet } from "../harness/scenes/host-call-matches.js";
import {
  contextsEntered,
  LOOKED_AT_MS,
  LOOKS_A_TICK,
  openStream,
  revoke,
  streamsClosed,
} from "../harness/scenes/open-streams.js";
import type { Session } from "../harness/scenes/tokens.js";

const MANY = plan({ maxTokens: 9_000_000 });
/** Streams that a tick of a worker ends. */
const CLOSES_A_TICK = 100;

/** A session in the table, and so many streams of it. */
function streamsOfOne(edge: Edge, count: number): { session: Session; streams: Stream[] } {
  const session = edge.sessionInTable({ tokens: 1_000_000 });
  return { session, streams: Array.from({ length: count }, () => openStream(session, edge.worker(0))) };
}

const isOpen = ({ state }: Stream): boolean => state !== "closed";

function untracked(edge: Edge): number {
  edge.flush();
  return edge.host.metrics.sum("sluice_streams_untracked_total");
}

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
    const late = edge.sessionInTable();
    const streams = [1, 2, 3, 4].flatMap(() => streamsOfOne(edge, MAX_OPEN_STREAMS_OF_SESSION).streams);
    expect(streams).toHaveLength(MAX_OPEN_STREAMS);
    const [one, two] = [openStream(late, edge.worker(0)), openStream(late, edge.worker(0))];
    expect(untracked(edge)).toBe(2);
    // One that ends makes room for one.
    streams[17]?.abandon();
    const three = openStream(late, edge.worker(0));
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, late);
    edge.passMs(2000);
    expect([one, two, three].map(({ state }) => state)).toEqual(["streaming", "streaming", "closed"]);
    expect(streamsClosed(edge)).toBe(1);
  });

  it("a session that holds a quarter of the table gets no more of it, and others do", () => {
    const edge = new Edge({ policy: policy({ plans: [MANY] }) });
    const { session, streams } = streamsOfOne(edge, MAX_OPEN_STREAMS_OF_SESSION);
    const other = edge.sessionInTable();
    const beyond = openStream(session, edge.worker(0));
    const others = openStream(other, edge.worker(0));
    expect(untracked(edge)).toBe(1);
    streams[17]?.abandon();
    const again = openStream(session, edge.worker(0));
    const more = openStream(session, edge.worker(0));
    expect(untracked(edge)).toBe(2);
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, session, other);
    edge.passMs(2000);
    expect([others, again].map(({ state }) => state)).toEqual(["closed", "closed"]);
    expect([beyond, more].map(({ state }) => state)).toEqual(["streaming", "streaming"]);
    expect(streamsClosed(edge)).toBe(MAX_OPEN_STREAMS_OF_SESSION + 1);
  });

  it("a tick looks at 256 streams and ends 100, and the next one goes on from there", () => {
    const edge = new Edge({ policy: policy({ plans: [MANY] }) });
    const { session, streams } = streamsOfOne(edge, 1000);
    edge.clock.advanceMs(LOOKED_AT_MS);
    const looks = { reads: 0 };
    const ofWorker = readsSet(edge, edge.worker(0));
    // The leader's own round over the table reads each of its sets by number: of them only one exists.
    edge.host.hooks.each("after", ofWorker, () => (looks.reads += 1));
    const contexts = contextsEntered(edge);
    const seen: number[] = [];
    for (let tick = 0; tick < 4; tick++) {
      looks.reads = 0;
      edge.passMs(TICK_MS);
      expect(looks.reads).toBeLessThanOrEqual(LOOKS_A_TICK + 1);
      seen.push(new Set(contexts).size - 1);
    }
    expect(seen).toEqual([LOOKS_A_TICK, 2 * LOOKS_A_TICK, 3 * LOOKS_A_TICK, 1000]);
    revoke(edge, session);
    const closed = [1, 2, 3].map(() => {
      edge.passMs(TICK_MS);
      return streams.filter(({ state }) => state === "closed").length;
    });
    expect(closed).toEqual([CLOSES_A_TICK, 2 * CLOSES_A_TICK, 3 * CLOSES_A_TICK]);
  });

  it("all that a worker keeps end in 42 ticks, and a thousand behind the others in 24", () => {
    const edge = new Edge({ policy: policy({ plans: [MANY] }) });
    const streamsOf = [1, 2, 3, 4].map(() => streamsOfOne(edge, MAX_OPEN_STREAMS_OF_SESSION));
    const last = streamsOf[3];
    edge.passMs(LOOKED_AT_MS);
    const open = (): number => streamsOf.flatMap(({ streams }) => streams).filter(isOpen).length;
    revoke(edge, ...(last === undefined ? [] : [last.session]));
    edge.passMs(24 * TICK_MS);
    expect([last?.streams.filter(isOpen).length, open()]).toEqual([0, 3 * MAX_OPEN_STREAMS_OF_SESSION]);

    const all = new Edge({ policy: policy({ plans: [MANY] }) });
    const ending = [1, 2, 3, 4].map(() => streamsOfOne(all, MAX_OPEN_STREAMS_OF_SESSION));
    all.passMs(LOOKED_AT_MS);
    revoke(all, ...ending.map(({ session }) => session));
    all.passMs(42 * TICK_MS);
    expect(ending.flatMap(({ streams }) => streams).filter(isOpen)).toHaveLength(0);
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
    const contexts = contextsEntered(edge);
    edge.passMs(500);
    expect(streams.map(({ state }) => state)).toEqual(["abandoned", "abandoned", "closed"]);
    expect(contexts).toEqual([streams[2]?.id, edge.worker(0).roots()[0]?.id]);
  });
});
