// What becomes of a request that would be denied: by its route's enforcement, its plan's, or the document's.
import { describe, expect, it } from "vitest";
import type { Stream } from "../harness/host/stream.js";
import { plan, policy, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { LOOKED_AT_MS, revoke } from "../harness/scenes/open-streams.js";
import { isShadowed } from "../properties/reference/routes.js";
import { headersOf, hostCallsOf, levelOf, outcomes, sendRouted } from "../harness/scenes/routed-requests.js";
import type { Session } from "../harness/scenes/tokens.js";

const edgeWith = (overrides: PolicyDocument): Edge => new Edge({ policy: policy(overrides) });
const LIMIT_HEADERS = [
  "ratelimit",
  "ratelimit-policy",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
];
const limits = (stream: Stream): (string | undefined)[] =>
  LIMIT_HEADERS.map((name) => stream.responseHeaders?.get(name));

function empty(edge: Edge, planId = 0): Session {
  return edge.sessionInTable({ tokens: 0, plan: planId });
}

function budgetSpent(edge: Edge): Session {
  const session = edge.newSession();
  edge.send(session);
  edge.answerLive({ tokens: 5, budgetSpent: true });
  return session;
}

function unreachable(edge: Edge): Stream {
  edge.host.dispatchResult = 2;
  return edge.send(edge.newSession());
}

describe("shadow", () => {
  it("shadow lets pass what is above the limit, counts it, and spends nothing for it", () => {
    const edge = edgeWith({ enforcement: "shadow" });
    const session = empty(edge);
    expect([edge.send(session).status, edge.send(session).status]).toEqual([200, 200]);
    expect(outcomes(edge)).toEqual({ allowed: 1, shadow_limited: 2 });
    expect(
      edge.host.metrics.sum('sluice_requests_total{outcome="shadow_limited",plan="default",limit="default"}'),
    ).toBe(2);
    expect(edge.host.metrics.sum("sluice_tokens_spent_total")).toBe(1);
    expect(levelOf(edge, session)).toBe(0);
  });

  it("shadow counts and spends what is below the limit as it is otherwise", () => {
    const edge = edgeWith({ enforcement: "shadow" });
    const session = edge.sessionInTable({ tokens: 5 });
    expect(edge.send(session).responseHeaders?.get("ratelimit")).toBe('"default";r=4');
    expect(outcomes(edge)).toEqual({ allowed: 2 });
  });

  it("a response that shadow let pass has the limit headers of the 429", () => {
    const answers = ["enforce", "shadow"].map((enforcement) => {
      const routes = [{ match: { path: "/a" }, cost: 4 }];
      const edge = edgeWith({
        plans: [plan({ tokenRefillRate: 0.25 })],
        enforcement,
        routes,
        response: { headers: "both" },
      });
      const session = edge.sessionInTable({ tokens: 3 });
      return sendRouted(edge, { path: "/a", session });
    });
    const [denied, passed] = answers;
    if (denied === undefined || passed === undefined) throw new Error("two answers");
    expect([denied.status, passed.status]).toEqual([429, 200]);
    expect(limits(passed)).toEqual(limits(denied));
    expect(limits(passed)).toEqual(['"default";r=3;t=4', '"default";q=10;w=40', "10", "3", "28"]);
    expect([denied, passed].map((stream) => stream.responseHeaders?.get("retry-after"))).toEqual(["4", undefined]);
  });

  it("shadow lets a spent budget pass", () => {
    const edge = edgeWith({ enforcement: "shadow" });
    const session = budgetSpent(edge);
    expect(edge.send(session).status).toBe(200);
    expect(outcomes(edge)).toEqual({ shadow_limited: 2 });
  });

  it("shadow denies missing and invalid sessions, and what cannot be decided", () => {
    const edge = edgeWith({ enforcement: "shadow", onUnreachable: "deny" });
    expect([edge.send("").status, edge.send("invented").status, unreachable(edge).status]).toEqual([401, 401, 503]);
    expect(outcomes(edge)).toEqual({ missing: 1, invalid: 1, unavailable: 1 });
  });

  it("shadow of N % passes the sessions that the documented formula takes, and 429 for others", () => {
    const passed: number[] = [];
    for (const percent of [1, 30, 99]) {
      const edge = edgeWith({ enforcement: { shadow: percent } });
      let count = 0;
      for (let each = 0; each < 300; each++) {
        const session = empty(edge);
        const isPassed = edge.send(session).status === 200;
        expect(isPassed).toBe(isShadowed(session.id, percent));
        if (isPassed) count++;
      }
      passed.push(count);
    }
    const [few = 0, some = 0, most = 0] = passed;
    expect([few < 15, some > 60 && some < 120, most > 285]).toEqual([true, true, true]);
  });
});

describe("observe", () => {
  it("observe lets pass whatever the outcome, and counts what it would have been", () => {
    const edge = edgeWith({ enforcement: "observe", onUnreachable: "deny" });
    const session = empty(edge);
    const streams = [edge.send(session), edge.send(""), edge.send("invented"), unreachable(edge)];
    expect(streams.map((stream) => stream.status)).toEqual([200, 200, 200, 200]);
    const shadows = { shadow_limited: 1, shadow_missing: 1, shadow_invalid: 1, shadow_unavailable: 1 };
    expect(outcomes(edge)).toEqual({ allowed: 1, ...shadows });
  });

  it("observe asks and spends as it does otherwise, and a request waits for the answer", () => {
    const edge = edgeWith({ enforcement: "observe" });
    const session = edge.newSession();
    const waiting = edge.send(session);
    expect(waiting.status).toBeUndefined();
    edge.answerLive({ tokens: 10 });
    expect(waiting.status).toBe(200);
    expect(levelOf(edge, session)).toBe(9);
  });

  it("a session that has ended passes under observe after its acquire", () => {
    const edge = edgeWith({ enforcement: "observe" });
    const waiting = edge.send(edge.newSession());
    edge.callout.answer(404, "{}");
    expect(waiting.status).toBe(200);
  });
});

describe("off", () => {
  it("a route that is off reads its path alone, and spends nothing", () => {
    const edge = edgeWith({ routes: [{ match: { prefix: "/internal" }, enforcement: "off" }] });
    const session = empty(edge);
    const calls = hostCallsOf(edge);
    const statuses = [undefined, "invented", session].map(
      (of) => sendRouted(edge, { path: "/internal/x", session: of }).status,
    );
    expect(statuses).toEqual([200, 200, 200]);
    expect(calls).toEqual(Array.from({ length: 3 }, () => "proxy_get_header_map_value"));
    expect(outcomes(edge)).toEqual({ allowed: 1 });
  });

  it("a document that is off with all its routes reads nothing", () => {
    const edge = edgeWith({ enforcement: "off", routes: [{ match: { prefix: "/" }, cost: 5 }] });
    const calls = hostCallsOf(edge);
    expect(edge.send("").status).toBe(200);
    expect(calls).toEqual([]);
  });

  it("a session of a plan that is off passes without spending, and its session is looked up", () => {
    const plans = [plan(), plan({ id: 4, name: "inside", enforcement: "off" })];
    const edge = edgeWith({ plans });
    const session = edge.newSession(4);
    const waiting = edge.send(session);
    edge.answerLive({ plan: 4, tokens: 0 });
    expect([waiting.status, edge.send(session).status]).toEqual([200, 200]);
    expect(edge.acquires).toHaveLength(1);
    expect([edge.send(empty(edge)).status, edge.send("").status]).toEqual([429, 401]);
    expect(outcomes(edge)).toEqual({ allowed: 1, limited: 1, missing: 1 });
  });

  it("a plan that enforces within a document that is off is limited, and all else passes", () => {
    const plans = [plan(), plan({ id: 4, name: "outside", enforcement: "enforce" })];
    const edge = edgeWith({ plans, enforcement: "off", onUnreachable: "deny" });
    expect(edge.send(empty(edge, 4)).status).toBe(429);
    const inside = edge.newSession();
    const waiting = edge.send(inside);
    edge.answerLive({ tokens: 0 });
    expect([waiting.status, edge.send(inside).status, edge.send("").status]).toEqual([200, 200, 200]);
    edge.host.dispatchResult = 2;
    expect([edge.send(edge.newSession(4)).status, edge.send(edge.newSession()).status]).toEqual([503, 200]);
    expect(outcomes(edge)).toEqual({ allowed: 1, limited: 1, unavailable: 1 });
  });
});

describe("whose enforcement counts", () => {
  it("a route's enforcement counts before the plan's, and the plan's before the document's", () => {
    const plans = [plan({ enforcement: "shadow" }), plan({ id: 4, name: "other" })];
    const routes = [
      { match: { path: "/strict" }, enforcement: "enforce" },
      { match: { path: "/watched" }, enforcement: "observe" },
    ];
    const edge = edgeWith({ plans, routes });
    const ofPlan = empty(edge);
    const ofDocument = empty(edge, 4);
    const statuses = (session: Session | undefined): (number | undefined)[] =>
      ["/", "/strict", "/watched"].map((path) => sendRouted(edge, { path, session }).status);
    expect(statuses(ofPlan)).toEqual([200, 429, 200]);
    expect(statuses(ofDocument)).toEqual([429, 429, 200]);
    expect(statuses(undefined)).toEqual([401, 401, 200]);
  });

  it("the plan that the token names counts where the control plane does not answer", () => {
    const plans = [plan(), plan({ id: 4, name: "watched", enforcement: "observe" })];
    const edge = edgeWith({ plans, onUnreachable: "deny" });
    edge.host.dispatchResult = 2;
    expect([edge.send(edge.newSession()).status, edge.send(edge.newSession(4)).status]).toEqual([503, 200]);
    expect(outcomes(edge)).toEqual({ unavailable: 1, shadow_unavailable: 1 });
  });
});

describe("open streams", () => {
  const ends: [string, PolicyDocument, string][] = [
    ["enforce", { enforcement: "enforce" }, "closed"],
    ["shadow", { enforcement: "shadow" }, "closed"],
    ["observe", { enforcement: "observe" }, "streaming"],
    ["a plan that observes", { plans: [plan({ enforcement: "observe" })] }, "streaming"],
    ["a route that observes", { routes: [{ match: { path: "/" }, enforcement: "observe" }] }, "streaming"],
    [
      "a route that enforces within observe",
      { enforcement: "observe", routes: [{ match: { path: "/" }, enforcement: "enforce" }] },
      "closed",
    ],
  ];
  it.each(ends)("a stream under %s, once its session is revoked: %3$s", (_name, overrides, state) => {
    const edge = edgeWith(overrides);
    const session = edge.sessionInTable();
    const stream = edge.worker(0).open(headersOf({ session }));
    stream.beginResponse();
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, session);
    edge.passMs(500);
    expect(stream.state).toBe(state);
  });
});
