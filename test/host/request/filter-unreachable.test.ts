// When the control plane cannot be asked: the policy decides, and what follows once the control plane is back.
import { describe, expect, it } from "vitest";
import { FLAG_REFRESH, FLAG_UNCONFIRMED, RECORD_FLAGS_AT } from "../../../assembly/contract.js";
import { MAX_AGE_MS, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import type { Callout } from "../harness/host/callouts.js";
import type { Session } from "../harness/scenes/tokens.js";

/** All the ways in which a call brings no answer about its session. */
const failures: [string, (callout: Callout) => void][] = [
  [
    "a timeout",
    (callout): void => {
      callout.timeOut();
    },
  ],
  [
    "a refused connection",
    (callout): void => {
      callout.refuse();
    },
  ],
  [
    "a broken connection",
    (callout): void => {
      callout.reset();
    },
  ],
  [
    "status 500",
    (callout): void => {
      callout.answer(500, '{"error":{}}');
    },
  ],
  [
    "status 429",
    (callout): void => {
      callout.answer(429);
    },
  ],
  [
    "status 200 with an empty body",
    (callout): void => {
      callout.answer(200);
    },
  ],
  [
    "status 200 with something else than JSON",
    (callout): void => {
      callout.answer(200, "<html>");
    },
  ],
  [
    "status 200 with half an answer",
    (callout): void => {
      callout.answer(200, '{"state":"live","plan":0');
    },
  ],
  [
    "status 200 with 100 KB",
    (callout): void => {
      callout.answer(200, " ".repeat(100_000));
    },
  ],
];

describe.each(failures)("a new session and a known one after %s", (_name, fail) => {
  it("a new session is admitted under its plan with onUnreachable: trust", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "trust" }) });
    const session = edge.newSession();
    const stream = edge.send(session);
    fail(edge.callout);
    expect(stream.status).toBe(200);
    expect(edge.admitted(session, 20)).toBe(9);
    expect(edge.table.record(session.id)).toMatchObject({ provisional: true, live: true });
  });

  it("a new session gets 503 LIMITER_UNAVAILABLE with onUnreachable: deny", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    const waiting = edge.send(edge.newSession());
    fail(edge.callout);
    expect(waiting).toMatchObject({ status: 503, reachedUpstream: false });
    expect(edge.table.records()).toHaveLength(0);
  });

  it("a session in the table goes on, idle or not, under trust and deny", () => {
    for (const onUnreachable of ["trust", "deny"]) {
      const edge = new Edge({ policy: policy({ onUnreachable }) });
      const session = edge.sessionInTable({ tokens: 2 });
      edge.clock.advanceMs(MAX_AGE_MS + 1);
      const waiting = edge.send(session);
      fail(edge.callout);
      expect(waiting.status).toBe(200);
      expect(edge.admitted(session, 5)).toBe(1);
    }
  });
});

describe("a call that Envoy does not send", () => {
  it.each([2, 10])("a call that Envoy answers with status %i follows onUnreachable at once", (dispatchResult) => {
    const trusting = new Edge({ policy: policy({ onUnreachable: "trust" }) });
    const denying = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    for (const edge of [trusting, denying]) edge.host.dispatchResult = dispatchResult;
    expect(trusting.send(trusting.newSession()).status).toBe(200);
    expect(denying.send(denying.newSession()).status).toBe(503);
    trusting.host.dispatchResult = 0;
    expect(trusting.send(trusting.newSession()).paused).toBe(true);
    denying.host.dispatchResult = 0;
    expect(denying.send(denying.newSession()).paused).toBe(true);
  });
});

describe("a record that is marked to be asked about", () => {
  it("a record marked refresh waits for an answer, and goes on with its own level", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 4 });
    mark(edge, session, FLAG_REFRESH);
    const waiting = edge.send(session);
    expect(waiting.paused).toBe(true);
    edge.answerLive({ tokens: 10 });
    expect(waiting.status).toBe(200);
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 3, refresh: false });
  });

  it("a record marked refresh stands when the control plane cannot be asked", () => {
    for (const onUnreachable of ["trust", "deny"]) {
      const edge = new Edge({ policy: policy({ onUnreachable }) });
      const session = edge.sessionInTable({ tokens: 2 });
      mark(edge, session, FLAG_REFRESH);
      const waiting = edge.send(session);
      edge.callout.timeOut();
      expect(waiting.status).toBe(200);
      expect(edge.table.record(session.id)?.levelTokens).toBe(1);
    }
  });

  it.each([
    ["trust", 200],
    ["deny", 503],
  ])("a record marked unconfirmed does not stand then: onUnreachable %s gives %i", (onUnreachable, status) => {
    const edge = new Edge({ policy: policy({ onUnreachable }) });
    const session = edge.sessionInTable({ tokens: 2 });
    mark(edge, session, FLAG_REFRESH | FLAG_UNCONFIRMED);
    const waiting = edge.send(session);
    edge.callout.timeOut();
    expect(waiting.status).toBe(status);
    // During the backoff it is not asked about again, and is decided the same way.
    expect(edge.send(session).status).toBe(status);
  });

  /** Sets flags in the session's record, as news of the control plane does. */
  function mark(edge: Edge, session: Session, flags: number): void {
    edge.table.patch(session.id, (record) => record.writeUInt8(flags, RECORD_FLAGS_AT));
  }
});

describe("the backoff after a failure", () => {
  it("the backoff after a failure lets idle sessions go on, then asks again", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const other = edge.sessionInTable();
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    edge.send(session);
    edge.callout.timeOut();
    expect(edge.send(other).status).toBe(200);
    expect(edge.pendingAcquires).toHaveLength(0);
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    expect(edge.send(other).paused).toBe(true);
  });
});
