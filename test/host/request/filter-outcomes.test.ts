// What each outcome of a request is answered with and counted as: once, as itself, and as nothing else.
import { describe, expect, it } from "vitest";
import { NO_POLICY_HOLD_MS } from "../../../assembly/contract.js";
import type { Stream } from "../harness/host/stream.js";
import { LIFETIME_MS, OTHER_SECRET, plan, policy, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";

const OUTCOMES = ["allowed", "limited", "missing", "invalid", "unavailable", "no_policy"] as const;
const MISSES = ["forged", "too_old", "unverified", "denied", "busy"] as const;

/** What the counters have come to, those that are not 0. */
function counted(edge: Edge): Record<string, number> {
  const { metrics } = edge.host;
  const all = [
    ...OUTCOMES.map((outcome) => [outcome, metrics.sum("sluice_requests_total", `outcome="${outcome}"`)] as const),
    ...MISSES.map((reason) => [`miss ${reason}`, metrics.sum("sluice_misses_total", `outcome="${reason}"`)] as const),
    ["tokens", metrics.sum("sluice_tokens_spent_total")] as const,
  ];
  return Object.fromEntries(all.filter(([, count]) => count > 0));
}

interface Case {
  readonly request: string;
  readonly policy?: PolicyDocument | null;
  readonly send: (edge: Edge) => Stream;
  readonly status: number;
  readonly counts: Record<string, number>;
}

const unreachable = (edge: Edge): Stream => {
  edge.host.dispatchResult = 2;
  return edge.send(edge.newSession());
};
const TWO = [plan({ maxTokens: 2 })];

const cases: readonly Case[] = [
  {
    request: "without a token",
    send: (edge) => edge.send(""),
    status: 401,
    counts: { missing: 1 },
  },
  {
    request: "with something else than a token",
    send: (edge) => edge.send("invented"),
    status: 401,
    counts: { invalid: 1 },
  },
  {
    request: "with a forged token",
    send: (edge) => edge.send(new Edge({ secret: OTHER_SECRET }).newSession()),
    status: 401,
    counts: { invalid: 1, "miss forged": 1 },
  },
  {
    request: "with a token older than any session may be, about which nobody can be asked",
    send: (edge) => {
      edge.host.dispatchResult = 2;
      return edge.send(edge.mint.mint(edge.clock.wallMs - LIFETIME_MS - 1));
    },
    status: 401,
    counts: { invalid: 1, "miss too_old": 1 },
  },
  {
    request: "that is admitted unverified",
    policy: policy({ onMiss: "trust" }),
    send: (edge) => edge.send(edge.newSession()),
    status: 200,
    counts: { allowed: 1, tokens: 1, "miss unverified": 1 },
  },
  {
    request: "that is admitted unverified because the control plane cannot be asked",
    send: unreachable,
    status: 200,
    counts: { allowed: 1, tokens: 1, "miss unverified": 1 },
  },
  {
    request: "that nobody can confirm",
    policy: policy({ onUnreachable: "deny" }),
    send: unreachable,
    status: 503,
    counts: { unavailable: 1, "miss denied": 1 },
  },
  {
    request: "that finds its bucket empty, after two that did not",
    policy: policy({ onMiss: "trust", plans: TWO }),
    send: (edge) => {
      const session = edge.newSession();
      edge.admitted(session, 2);
      return edge.send(session);
    },
    status: 429,
    counts: { allowed: 2, tokens: 2, limited: 1, "miss unverified": 1 },
  },
  {
    request: "of a session whose budget is spent",
    send: (edge) => {
      const stream = edge.send(edge.newSession());
      edge.answerLive({ budgetSpent: true });
      return stream;
    },
    status: 429,
    counts: { limited: 1 },
  },
  {
    request: "that waited in vain for a first policy",
    policy: null,
    send: (edge) => {
      const stream = edge.send(edge.newSession());
      edge.passMs(NO_POLICY_HOLD_MS);
      return stream;
    },
    status: 503,
    counts: { no_policy: 1 },
  },
  {
    request: "under a policy that enforces nothing",
    policy: policy({ enforcement: "off" }),
    send: (edge) => edge.send("invented"),
    status: 200,
    counts: {},
  },
];

describe("outcomes of requests", () => {
  it.each(cases)("a request $request gets $status and is counted once", ({ policy: own, send, status, counts }) => {
    const edge = new Edge(own === undefined ? {} : { policy: own });
    expect(send(edge).status).toBe(status);
    edge.flush();
    expect(counted(edge)).toEqual(counts);
  });
});
