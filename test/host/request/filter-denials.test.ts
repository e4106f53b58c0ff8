// Requests above the limit: what they cost the host, and how soon a change is seen in their answers.
import { describe, expect, it } from "vitest";
import { RECORD_ENDED, RECORD_STATE_AT } from "../../../assembly/contract.js";
import { plan, policy, settings, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { get, limit } from "../harness/scenes/limits.js";
import type { Session } from "../harness/scenes/tokens.js";

const REMEMBERED_MS = 100;
const HEADER = "proxy_get_header_map_value";
const CLOCK = "clock_time_get";
const READ = "proxy_get_shared_data";
const WRITE = "proxy_set_shared_data";
/** The content type says in which form the client reads the answer. */
const REPLY = [HEADER, "proxy_send_local_response"];

/** The host calls of one request. */
function callsOf(edge: Edge, session: Session | string): string[] {
  const names: string[] = [];
  const stop = edge.host.hooks.each(
    "before",
    () => true,
    ({ name }) => names.push(name),
  );
  edge.send(session);
  stop();
  return names;
}

const withPlan = (overrides: PolicyDocument): PolicyDocument => policy({ plans: [plan(overrides)] });

describe("a request costs the host", () => {
  const silent = policy({ response: { headers: "none" } });

  it("an admitted request takes one header, the clock, one read and one write", () => {
    const edge = new Edge({ policy: silent });
    const session = edge.sessionInTable();
    expect(callsOf(edge, session)).toEqual([HEADER, CLOCK, READ, WRITE]);
  });

  it("an admitted request takes two response headers more for limit headers", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const add = "proxy_replace_header_map_value";
    expect(callsOf(edge, session)).toEqual([HEADER, CLOCK, READ, WRITE, add, add]);
  });

  it("a request above the limit takes no write, and no read when it asks again", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 0 });
    expect(callsOf(edge, session)).toEqual([HEADER, CLOCK, READ, ...REPLY]);
    expect(callsOf(edge, session)).toEqual([HEADER, CLOCK, ...REPLY]);
  });

  it("a request with an invented token takes one header, the clock, a read, and the answer", () => {
    const edge = new Edge();
    const genuine = edge.sessionInTable();
    const bytes = Buffer.from(genuine.token, "base64url");
    bytes[35] = 255 - (bytes[35] ?? 0);
    bytes[17] = 255 - (bytes[17] ?? 0);
    expect(callsOf(edge, bytes.toString("base64url"))).toEqual([HEADER, CLOCK, READ, ...REPLY]);
  });

  it("a request without a token takes the header, and the answer two calls", () => {
    expect(callsOf(new Edge(), "")).toEqual([HEADER, ...REPLY]);
  });
});

describe("a session that was denied for want of tokens", () => {
  it("a denied session is admitted by the microsecond in which a token is there", () => {
    const edge = new Edge({ policy: withPlan({ tokenRefillRate: 100 }) });
    const session = edge.sessionInTable({ tokens: 0 });
    for (let us = 0; us < 9999; us += 1111) {
      expect(edge.send(session).status).toBe(429);
      edge.clock.advanceMicros(1111);
    }
    expect(edge.send(session).status).toBe(429);
    edge.clock.advanceMicros(1);
    expect(edge.send(session).status).toBe(200);
  });

  it("a denied session sees what its bucket holds by now, not what it held", () => {
    const edge = new Edge({ policy: withPlan({ tokenRefillRate: 0.5 }) });
    const session = edge.sessionInTable({ tokens: 0 });
    edge.clock.advanceMs(950);
    expect(edge.send(session).responseHeaders?.get("retry-after")).toBe("2");
    edge.clock.advanceMs(REMEMBERED_MS - 1);
    expect(callsOf(edge, session)).not.toContain(READ);
    expect(edge.send(session).responseHeaders?.get("retry-after")).toBe("1");
  });

  it("a denied session that pays for less sees at once what that has left it", () => {
    const routes = [{ match: { path: "/dear" }, cost: 8 }];
    for (const limits of [[], [limit("daily", 100)]]) {
      const edge = new Edge({ policy: policy({ plans: [plan({ tokenRefillRate: 1, limits })], routes }) });
      const session = edge.sessionInTable({ tokens: 7 });
      const said = (path: string) => {
        const { responseHeaders } = get(edge, session, path);
        return [responseHeaders?.get("ratelimit"), responseHeaders?.get("retry-after")];
      };
      expect(said("/dear")).toEqual(['"default";r=7;t=1', "1"]);
      for (const left of [6, 5, 4]) expect(said("/")).toEqual([`"default";r=${left};t=1`, undefined]);
      expect(said("/dear")).toEqual(['"default";r=4;t=1', "4"]);
    }
  });

  it("a denied session sees within a tenth of a second that it was revoked", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 0 });
    expect(edge.send(session).status).toBe(429);
    edge.table.patch(session.id, (record) => {
      record[RECORD_STATE_AT] = RECORD_ENDED;
    });
    edge.clock.advanceMs(REMEMBERED_MS - 1);
    expect(edge.send(session).status).toBe(429);
    edge.clock.advanceMs(1);
    expect(edge.send(session).status).toBe(401);
  });

  it("a denied session is decided anew as soon as the policy changes", () => {
    const edge = new Edge({ policy: withPlan({ maxTokens: 10 }) });
    const session = edge.sessionInTable({ tokens: 0 });
    expect(edge.send(session).status).toBe(429);
    edge.worker(0).configure(settings(withPlan({ maxTokens: 10, tokenRefillRate: 1000 })));
    edge.clock.advanceMs(1);
    expect(edge.send(session).status).toBe(200);
  });

  it("more denied sessions than can be remembered are all denied alike", () => {
    const edge = new Edge({ settings: { table: { capacity: 65_536 } } });
    const sessions = Array.from({ length: 6000 }, () => edge.sessionInTable({ tokens: 0 }));
    for (let round = 0; round < 2; round++) {
      expect(sessions.map((session) => edge.send(session).status)).toEqual(sessions.map(() => 429));
    }
  });

  it("a denied session does not stand in for another, whose token differs in any byte", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 0 });
    expect(edge.send(session).status).toBe(429);
    const genuine = Buffer.from(session.token, "base64url");
    for (let at = 1; at < genuine.length; at++) {
      const other = Buffer.from(genuine);
      other[at] = (other[at] ?? 0) ^ 1;
      const stream = edge.send(other.toString("base64url"));
      expect(stream.status, `byte ${at}`).toBe(401);
    }
  });
});
