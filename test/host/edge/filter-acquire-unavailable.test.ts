// The control plane answers, but its store takes no writes: of sessions that are over it says so, the others nobody holds.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { answerAll, fillCalls, sessionsOf } from "../harness/scenes/batches.js";
import { endedAnswer, liveAnswer, MAX_AGE_MS, policy, unavailableAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";

/** Beyond any backoff: after it the control plane is asked again. */
const BACKOFF_MS = 1000;

describe("an answer that the session cannot be held", () => {
  it("sessions that nobody can hold follow onUnreachable, others of the call get 401", () => {
    for (const [onUnreachable, status] of [["trust", 200] as const, ["deny", 503] as const]) {
      const edge = new Edge({ policy: policy({ onUnreachable }) });
      fillCalls(edge);
      const sessions = Array.from({ length: 4 }, () => edge.newSession());
      const streams = sessions.map((session) => edge.send(session));
      const ids = sessions.map(({ id }) => id);
      const answers = [unavailableAnswer(), endedAnswer("revoked"), unavailableAnswer(), endedAnswer("unknown")];
      answerAll(edge, (id) => answers[ids.indexOf(id)] ?? liveAnswer());
      expect(streams.map((stream) => stream.status)).toEqual([status, 401, status, 401]);
      expect(edge.table.record(ids[1] ?? "")?.live).toBe(false);
    }
  });

  it("a record stands where its session cannot be held, also under deny", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    const session = edge.sessionInTable();
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    const waiting = edge.send(session);
    edge.callout.answer(200, unavailableAnswer());
    expect(waiting.status).toBe(200);
  });

  it("unverified sessions that cannot be held are asked about again as after a failure", () => {
    const edge = new Edge({ policy: policy({ onMiss: "trust" }) });
    const sessions = Array.from({ length: 3 }, () => edge.newSession());
    for (const session of sessions) edge.send(session);
    edge.passMs(TICK_MS);
    const [revoked] = sessionsOf(edge.callout);
    answerAll(edge, (id) => (id === revoked ? endedAnswer("revoked") : unavailableAnswer()));
    const asked = edge.acquires.length;
    edge.passMs(4 * TICK_MS);
    expect(edge.acquires).toHaveLength(asked);
    edge.passMs(BACKOFF_MS);
    answerAll(edge, () => liveAnswer());
    const others = sessions.filter(({ id }) => id !== revoked);
    expect(others.map(({ id }) => edge.table.record(id)?.provisional)).toEqual([false, false]);
  });

  it("an answer about a session that is over ends no pause after a failure", () => {
    const edge = new Edge({ policy: policy({ onMiss: "trust" }) });
    edge.send(edge.newSession());
    edge.passMs(TICK_MS);
    edge.callout.answer(503, "");
    const asked = edge.acquires.length;
    const old = edge.mint.mint(edge.clock.wallMs - 100_000_000);
    const waiting = edge.send(old);
    edge.callout.answer(200, endedAnswer("expired", 0));
    expect(waiting.status).toBe(401);
    edge.passMs(4 * TICK_MS);
    expect(edge.acquires).toHaveLength(asked + 1);
    edge.passMs(BACKOFF_MS);
    expect(edge.acquires).toHaveLength(asked + 2);
  });
});
