// What access logs may say of a request: filter state of its stream.
import { describe, expect, it } from "vitest";
import { plan } from "../harness/scenes/documents.js";
import type { Edge } from "../harness/scenes/edge.js";
import type { Stream } from "../harness/host/stream.js";
import { edgeLookingAt, HEADER, knownSession, linesOf, sendLines } from "../harness/scenes/placed-tokens.js";

const ALL = ["session", "plan", "decision", "limit"];
const POLICY = { annotate: ALL, plans: [plan({ name: "gold" })] };

/** What is said of a stream, as `{ decision: … }`. */
function saidOf({ properties }: Stream): Record<string, string> {
  const own = [...properties].filter(([name]) => name.startsWith("sluice."));
  return Object.fromEntries(own.map(([name, value]) => [name.slice("sluice.".length), value]));
}

const sendToken = (edge: Edge, token: string): Stream => sendLines(edge, linesOf(HEADER, token));

describe("what access logs may say of a request", () => {
  it("an admitted request has its session, plan and decision", () => {
    const edge = edgeLookingAt([HEADER], POLICY);
    const { token, id } = knownSession(edge, HEADER);
    expect(saidOf(sendToken(edge, token))).toEqual({ session: id, plan: "gold", decision: "allowed" });
  });

  it("a request above the limit has the limit that denied it, also when it asks again", () => {
    const edge = edgeLookingAt([HEADER], POLICY);
    const { token, id } = knownSession(edge, HEADER, 0);
    const said = { session: id, plan: "gold", decision: "limited", limit: "gold" };
    expect([sendToken(edge, token), sendToken(edge, token)].map(saidOf)).toEqual([said, said]);
  });

  it("a request of a spent budget has no limit that denied it", () => {
    const edge = edgeLookingAt([HEADER], POLICY);
    const { token, id } = edge.newSession();
    const stream = sendToken(edge, token);
    edge.answerLive({ budgetSpent: true });
    expect(saidOf(stream)).toEqual({ session: id, plan: "gold", decision: "limited" });
  });

  it("a request without a valid token has a decision alone, also after another's", () => {
    const edge = edgeLookingAt([HEADER], POLICY);
    knownSession(edge, HEADER);
    expect(saidOf(sendLines(edge, []))).toEqual({ decision: "missing" });
    expect(saidOf(sendToken(edge, "invented"))).toEqual({ decision: "invalid" });
  });

  it("a request on which nothing could be decided says so", () => {
    const edge = edgeLookingAt([HEADER], { ...POLICY, onUnreachable: "deny" });
    edge.host.dispatchResult = 2;
    expect(saidOf(sendToken(edge, edge.newSession().token))).toEqual({ decision: "unavailable" });
  });

  it("a request under enforcement: off says so", () => {
    const edge = edgeLookingAt([HEADER], { ...POLICY, enforcement: "off" });
    expect(saidOf(sendToken(edge, edge.newSession().token))).toEqual({ decision: "off" });
  });

  it.each(ALL)("only %s is said where the policy names it alone", (word) => {
    const edge = edgeLookingAt([HEADER], { ...POLICY, annotate: [word] });
    const { token } = knownSession(edge, HEADER, 0);
    expect(Object.keys(saidOf(sendToken(edge, token)))).toEqual([word]);
  });
});
