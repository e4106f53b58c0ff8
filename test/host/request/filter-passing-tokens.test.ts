// What the service and access logs see of requests that pass without having been allowed: exempt, off, shadowed, observed.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { plan, policy, type PolicyDocument } from "../harness/scenes/documents.js";
import { edgeWithoutPolicy, offer } from "../harness/scenes/policy-offer.js";
import { headersOf } from "../harness/scenes/routed-requests.js";
import type { Edge } from "../harness/scenes/edge.js";
import type { Stream } from "../harness/host/stream.js";
import {
  edgeLookingAt,
  HEADER,
  knownSession,
  linesOf,
  receivedOf,
  sendLines,
} from "../harness/scenes/placed-tokens.js";

const SPOOFED = [
  ["X-Sluice-Session", "1"],
  ["x-sluice-plan", "gold"],
] as const;
const MARKED: PolicyDocument = {
  token: { forward: false, identity: true },
  annotate: ["session", "plan", "decision", "limit"],
};

const marked = (rest: PolicyDocument): Edge =>
  edgeLookingAt([HEADER], { plans: [plan({ name: "free" })], ...MARKED, ...rest });
const send = (edge: Edge, token: string): Stream => sendLines(edge, [...SPOOFED, ...linesOf(HEADER, token)]);
const decisionOf = (stream: Stream): string | undefined => stream.properties.get("sluice.decision");

describe("what the service is told of a request that passes all the same", () => {
  it.each([
    ["an exempt route", { routes: [{ match: { path: "/" }, exempt: true }] }, "exempt"],
    ["a route that is off", { routes: [{ match: { path: "/" }, enforcement: "off" }] }, "off"],
    ["a document that is off", { enforcement: "off" }, "off"],
  ])("a service is told of no session on %s, and gets no token", (_, rest, decision) => {
    const edge = marked(rest);
    const stream = send(edge, edge.newSession().token);
    expect(receivedOf(stream)).toEqual([]);
    expect(decisionOf(stream)).toBe(decision);
  });

  it("a service is told of no session under a plan that is off", () => {
    const edge = marked({ plans: [plan({ name: "free", enforcement: "off" })] });
    const { token } = edge.newSession();
    send(edge, token);
    edge.answerLive();
    const stream = send(edge, token);
    expect(receivedOf(stream)).toEqual([]);
    expect(decisionOf(stream)).toBe("off");
  });

  it("a service is told of no session where a document that is off has a plan that enforces", () => {
    const strict = plan({ id: 4, name: "strict", enforcement: "enforce" });
    const edge = marked({ plans: [plan({ name: "free" }), strict], enforcement: "off", onUnreachable: "deny" });
    edge.host.dispatchResult = 2;
    const tokens = ["", "invented", edge.newSession().token];
    const streams = tokens.map((token) => send(edge, token));
    expect(streams.map((stream) => [receivedOf(stream), decisionOf(stream)])).toEqual(tokens.map(() => [[], "off"]));
  });

  it("a plan that is off says nothing of a session that another route has just denied", () => {
    const routes = [{ match: { headers: [{ name: "x-strict" }] }, enforcement: "enforce" }];
    const edge = marked({ plans: [plan({ name: "free", enforcement: "off" })], routes });
    const { token } = edge.newSession();
    send(edge, token);
    edge.answerLive({ tokens: 0 });
    expect(sendLines(edge, [["x-strict", "1"], ...linesOf(HEADER, token)]).status).toBe(429);
    const stream = send(edge, token);
    expect([receivedOf(stream), decisionOf(stream)]).toEqual([[], "off"]);
  });

  it("a request that was held for the first policy is told and hidden as that policy says", () => {
    const edge = edgeWithoutPolicy();
    const { token, id } = edge.newSession();
    const held = send(edge, token);
    const exempt = edge.worker(0).request([...headersOf({ path: "/healthz" }), ...SPOOFED, ...linesOf(HEADER, token)]);
    expect([held.status, exempt.status]).toEqual([undefined, undefined]);
    const routes = [{ match: { path: "/healthz" }, exempt: true }];
    edge.flush();
    offer(edge.watch, policy({ ...MARKED, plans: [plan({ name: "free" })], routes }), { generation: 1 });
    edge.passMs(TICK_MS);
    expect([receivedOf(exempt), decisionOf(exempt)]).toEqual([[], "exempt"]);
    edge.answerLive();
    const told = { "x-sluice-session": id, "x-sluice-plan": "free" };
    expect([Object.fromEntries(receivedOf(held)), decisionOf(held)]).toEqual([told, "allowed"]);
  });

  it.each(["shadow", "observe"])(
    "a service is told the session of a request above the limit under %s",
    (enforcement) => {
      const edge = marked({ enforcement });
      const { token, id } = knownSession(edge, HEADER, 0);
      const stream = send(edge, token);
      expect([...receivedOf(stream)].sort()).toEqual([
        ["x-sluice-plan", "free"],
        ["x-sluice-session", id],
      ]);
      expect(Object.fromEntries(stream.properties)).toMatchObject({
        "sluice.session": id,
        "sluice.decision": "shadow_limited",
        "sluice.limit": "free",
      });
    },
  );

  it("a service is told of no session where an observed request has none that is good", () => {
    const edge = marked({ enforcement: "observe" });
    const missing = sendLines(edge, [...SPOOFED]);
    const invalid = send(edge, "invented");
    expect([missing, invalid].map((stream) => [receivedOf(stream), decisionOf(stream)])).toEqual([
      [[], "shadow_missing"],
      [[], "shadow_invalid"],
    ]);
  });
});
