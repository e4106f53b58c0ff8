// A watch that nobody holds, as behind a cache or a proxy that answers at once: it must not make a worker spin.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { CURSOR, LOG, OTHER_LOG, resetAnswer, watchAnswer } from "../harness/scenes/documents.js";
import type { Edge } from "../harness/scenes/edge.js";
import { watchedEdge } from "../harness/scenes/watched-edge.js";

const pending = (edge: Edge): number => edge.watches.filter(({ state }) => state === "pending").length;

/** Watches that are sent within the time where each is answered at once with the same. */
function sentWithin(edge: Edge, ms: number, body: string): number {
  const before = edge.watches.length;
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    for (let turn = 0; turn < 50 && pending(edge) > 0; turn++) edge.watch.answer(200, body);
    edge.passMs(TICK_MS);
  }
  return edge.watches.length - before;
}

describe("a watch that is not held", () => {
  it.each([
    ["nothing new", watchAnswer({ cursor: CURSOR })],
    ["the same invalidation again and again", watchAnswer({ cursor: CURSOR + 1, revoked: ["x"] })],
    ["a reset to the same cursor again and again", resetAnswer(CURSOR)],
    ["a cursor behind its own", watchAnswer({ cursor: CURSOR - 1 })],
    ["a reset to a cursor behind its own", resetAnswer(CURSOR - 1, LOG)],
    ["another log's cursor", watchAnswer({ log: OTHER_LOG, cursor: 7 })],
  ])("a watch that is answered at once with %s is sent once a second", (_what, body) => {
    const sent = sentWithin(watchedEdge(), 10_000, body);
    expect(sent).toBeGreaterThanOrEqual(8);
    expect(sent).toBeLessThanOrEqual(13);
  });

  it("a watch that brings nothing before a second is over is followed when it is", () => {
    const edge = watchedEdge();
    edge.passMs(600);
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR }));
    edge.passMs(300);
    expect(pending(edge)).toBe(0);
    edge.passMs(2 * TICK_MS);
    expect(edge.watch.json).toMatchObject({ since: CURSOR });
  });

  it("a watch that brings nothing after a second is followed at once", () => {
    const edge = watchedEdge();
    edge.passMs(1000);
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR }));
    expect(edge.watch.json).toMatchObject({ log: LOG, since: CURSOR });
  });

  it("watches that bring news are followed at once, however soon they come", () => {
    const edge = watchedEdge();
    for (let cursor = CURSOR; cursor < CURSOR + 100; cursor++)
      edge.watch.answer(200, watchAnswer({ cursor: cursor + 1 }));
    expect(edge.watch.json).toMatchObject({ since: CURSOR + 100 });
  });

  it("a revocation after many unheld watches still reaches the table with the next", () => {
    const edge = watchedEdge();
    const session = edge.sessionInTable();
    sentWithin(edge, 3000, watchAnswer({ cursor: CURSOR }));
    edge.passMs(1000);
    edge.watch.answer(200, watchAnswer({ cursor: CURSOR + 1, revoked: [session.id] }));
    expect(edge.send(session).status).toBe(401);
    expect(pending(edge)).toBe(1);
  });
});
