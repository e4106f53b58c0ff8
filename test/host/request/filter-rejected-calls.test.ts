// A call that is rejected was answered: nobody is admitted unverified for it, whatever the policy says of no answer.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import type { Callout } from "../harness/host/callouts.js";
import { fillCalls, sessionsOf } from "../harness/scenes/batches.js";
import { liveAnswer, MAX_AGE_MS, policy, resetAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { watchedEdge } from "../harness/scenes/watched-edge.js";

const trust = policy({ onUnreachable: "trust" });
const NO_SESSION = '{"error":{"code":"INVALID_REQUEST","message":"session: expected a UUIDv7","field":"session"}}';
const OTHER_FIELD = '{"error":{"code":"INVALID_REQUEST","message":"edge: expected a name","field":"edge"}}';
const BACKOFF_MS = 1000;

describe.each([400, 401, 403, 404, 405, 413, 415, 499])("an acquire that is answered %i", (status) => {
  it(`a new session gets 503 under trust where its acquire is answered ${status}`, () => {
    const edge = new Edge({ policy: trust });
    const waiting = edge.send(edge.newSession());
    edge.callout.answer(status, OTHER_FIELD);
    expect(waiting).toMatchObject({ status: 503, reachedUpstream: false });
    expect(edge.table.records()).toEqual([]);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_misses_total", 'outcome="denied"')).toBe(1);
    expect(edge.host.messages("warn").join("\n")).toMatch(/fail: acquire: the (credential is denied|call is rejected)/);
  });

  it(`a record stands where its acquire is answered ${status}, and is not asked about again soon`, () => {
    const edge = new Edge({ policy: trust });
    const session = edge.sessionInTable({ tokens: 4 });
    const other = edge.sessionInTable({ tokens: 4 });
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    const waiting = edge.send(session);
    edge.callout.answer(status, OTHER_FIELD);
    expect([waiting.status, edge.send(other).status]).toEqual([200, 200]);
    expect(edge.pendingAcquires).toHaveLength(0);
  });
});

describe.each([429, 500, 502, 503, 504])("an acquire that is answered %i, which is no answer", (status) => {
  it(`a new session is admitted unverified under trust where its acquire is answered ${status}`, () => {
    const edge = new Edge({ policy: trust });
    const waiting = edge.send(edge.newSession());
    edge.callout.answer(status, NO_SESSION);
    expect(waiting.status).toBe(200);
  });
});

describe("a record in doubt while calls are rejected", () => {
  /** A record that a reset put in doubt, and the acquire of its next request. */
  function doubtful(): { edge: Edge; send: () => number | undefined; end: (answer: (call: Callout) => void) => void } {
    const edge = watchedEdge();
    const session = edge.sessionInTable({ tokens: 4 });
    edge.watch.answer(200, resetAnswer());
    edge.passMs(2 * TICK_MS);
    const waiting = edge.send(session);
    return {
      edge,
      send: () => edge.send(session).status,
      end: (answer) => {
        answer(edge.callout);
        expect(waiting.paused).toBe(false);
      },
    };
  }

  it("a record in doubt is denied while calls are rejected, also within the backoff", () => {
    const { edge, send, end } = doubtful();
    end((call) => {
      call.answer(401);
    });
    expect([send(), send()]).toEqual([503, 503]);
    expect(edge.pendingAcquires).toHaveLength(0);
    edge.clock.advanceMs(BACKOFF_MS);
    expect(send()).toBeUndefined();
    expect(edge.pendingAcquires).toHaveLength(1);
  });

  it("a record in doubt stands under trust while no answer comes, also within the backoff", () => {
    const { send, end } = doubtful();
    end((call) => {
      call.timeOut();
    });
    expect(send()).toBe(200);
  });
});

describe("a 400 that is about the session", () => {
  it("a session that the control plane calls none gets 401", () => {
    const edge = new Edge({ policy: trust });
    const waiting = edge.send(edge.newSession());
    edge.callout.answer(400, NO_SESSION);
    expect(waiting.status).toBe(401);
    expect(edge.table.records()).toEqual([]);
  });

  it("a session that is none costs the others of its call another call, and nothing else", () => {
    const edge = new Edge({ policy: trust });
    fillCalls(edge);
    const sessions = Array.from({ length: 3 }, () => edge.newSession());
    const streams = sessions.map((session) => edge.send(session));
    edge.pendingAcquires[0]?.answer(200, liveAnswer());
    edge.pendingAcquires.at(-1)?.answer(400, NO_SESSION);
    expect(streams.map(({ status }) => status)).toEqual([401, undefined, undefined]);
    for (const call of edge.pendingAcquires) {
      expect(sessionsOf(call)).toHaveLength(1);
      call.answer(200, liveAnswer());
    }
    for (const call of edge.pendingAcquires) call.answer(200, liveAnswer());
    expect(streams.map(({ status }) => status)).toEqual([401, 200, 200]);
  });

  it.each(["", "{}", "[]", '{"error":7}', '{"error":{"field":7}}', OTHER_FIELD])(
    "a 400 with the body %j says nothing of the session",
    (body) => {
      const edge = new Edge({ policy: trust });
      const waiting = edge.send(edge.newSession());
      edge.callout.answer(400, body);
      expect(waiting.status).toBe(503);
    },
  );
});
