// What a genuine token's session id says: only ids that are issued are asked about, and how old one may be the control
// plane decides, since the clocks of the two need not agree.
import { describe, expect, it } from "vitest";
import { endedAnswer, LIFETIME_MS, MAX_AGE_MS, plan, policy } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import type { Session } from "../harness/scenes/tokens.js";

const YEAR_MS = 365 * 24 * 3_600_000;

/** A genuine token of an id that differs from an issued one in one digit. */
function withDigit(edge: Edge, at: number, digit: string): Session {
  const { id } = edge.newSession();
  return edge.mint.mint(0, 0, id.slice(0, at) + digit + id.slice(at + 1));
}

describe("a genuine token of an id that was never issued", () => {
  const VERSION_AT = 14;
  const VARIANT_AT = 19;
  const versions = Array.from("012345689abcdef").map((digit) => [`version ${digit}`, VERSION_AT, digit] as const);
  const variants = Array.from("01234567cdef").map((digit) => [`variant digit ${digit}`, VARIANT_AT, digit] as const);

  it.each([...versions, ...variants])(
    "a genuine token over a UUID of %s gets 401 with nobody asked",
    (_what, at, digit) => {
      for (const rest of [{ onUnreachable: "trust" }, { onMiss: "trust" }]) {
        const edge = new Edge({ policy: policy(rest) });
        expect(edge.send(withDigit(edge, at, digit)).status).toBe(401);
        expect(edge.acquires).toHaveLength(0);
        expect(edge.table.records()).toEqual([]);
      }
    },
  );

  it.each(["8", "9", "a", "b"])("a genuine token over a UUIDv7 with the variant digit %s is asked about", (digit) => {
    const edge = new Edge();
    expect(edge.send(withDigit(edge, VARIANT_AT, digit)).paused).toBe(true);
  });
});

describe("an Envoy whose clock is ahead of the control plane's by more than any lifetime", () => {
  /** To the Envoy, a session that was issued just now is a year old. */
  const issued = (edge: Edge): Session => edge.mint.mint(edge.clock.wallMs - YEAR_MS);

  it.each(["trust", "deny"])("a session that seems too old is served as the control plane says, under %s", (word) => {
    const edge = new Edge({ policy: policy({ onUnreachable: word }) });
    const session = issued(edge);
    const waiting = edge.send(session);
    edge.answerLive({ tokens: 3 });
    expect(waiting.status).toBe(200);
    edge.clock.advanceMs(MAX_AGE_MS);
    expect(edge.admitted(session, 5)).toBe(2);
    expect(edge.acquires).toHaveLength(1);
  });

  it.each(["trust", "deny"])("a session that seems too old gets 401 while nobody can be asked, under %s", (word) => {
    const edge = new Edge({ policy: policy({ onUnreachable: word }) });
    const waiting = edge.send(issued(edge));
    edge.callout.timeOut();
    expect(waiting.status).toBe(401);
    expect(edge.table.records()).toEqual([]);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_misses_total", 'outcome="too_old"')).toBe(1);
  });

  it("a session that seems too old is asked about under onMiss: trust, others are not", () => {
    const edge = new Edge({ policy: policy({ onMiss: "trust" }) });
    expect(edge.send(edge.newSession()).status).toBe(200);
    const waiting = edge.send(issued(edge));
    edge.answerLive();
    expect(waiting.status).toBe(200);
  });

  it("a session that goes on though it seems too old is served through an outage, by its record", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    const session = issued(edge);
    edge.send(session);
    edge.answerLive({ tokens: 4 });
    edge.clock.advanceMs(MAX_AGE_MS + 1);
    const waiting = edge.send(session);
    edge.callout.timeOut();
    expect(waiting.status).toBe(200);
  });

  it.each(["expired", "unknown"] as const)("an old token costs a call in 5 s where the answer is %s", (state) => {
    const edge = new Edge();
    const session = issued(edge);
    const waiting = edge.send(session);
    edge.callout.answer(200, endedAnswer(state, 0));
    expect(waiting.status).toBe(401);
    for (let second = 0; second < 4; second++) {
      edge.clock.advanceMs(1000);
      expect(edge.send(session).status).toBe(401);
    }
    expect(edge.acquires).toHaveLength(1);
    edge.clock.advanceMs(1001);
    expect(edge.send(session).paused).toBe(true);
  });
});

describe("an Envoy whose clock is behind the control plane's", () => {
  it("a session from the future is admitted unverified for no longer than its plan says", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "trust", plans: [plan({ tokenRefillRate: 1 })] }) });
    const session = edge.mint.mint(edge.clock.wallMs + YEAR_MS);
    const waiting = edge.send(session);
    edge.callout.timeOut();
    expect(waiting.status).toBe(200);
    const endsAtS = Number(edge.clock.monotonicNanos / 1_000_000_000n) + LIFETIME_MS / 1000;
    expect(edge.table.record(session.id)).toMatchObject({ provisional: true, endsAtS });
  });

  it("a session from the future is served as the control plane says", () => {
    const edge = new Edge();
    const waiting = edge.send(edge.mint.mint(edge.clock.wallMs + YEAR_MS));
    edge.answerLive();
    expect(waiting.status).toBe(200);
  });
});
