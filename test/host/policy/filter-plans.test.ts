// Policies with several plans: each session is limited, answered and counted by its own.
import { describe, expect, it } from "vitest";
import { SWEEP_ROUND_TICKS, TICK_MS } from "../../../assembly/contract.js";
import { sessionsOf } from "../harness/scenes/batches.js";
import { endedAnswer, plan, policy, REPORT_INTERVAL_MS, type LiveAnswer } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { openStream } from "../harness/scenes/open-streams.js";
import type { Session } from "../harness/scenes/tokens.js";

const HOUR_MS = 3_600_000;
/** Two reports, a round of the sweep, and a second: by then the control plane has ended an idle session. */
const IDLE_GRACE_MS = 2 * REPORT_INTERVAL_MS + SWEEP_ROUND_TICKS * TICK_MS + 1000;

/** The ids are neither in order nor the places in the list; each plan differs in all that a plan says. */
const PLANS = [
  { id: 9, name: "small", maxTokens: 2, tokenRefillRate: 0, maxAge: 60_000, lifetime: HOUR_MS },
  { id: 0, name: "gold", maxTokens: 5, tokenRefillRate: 0.5, maxAge: 120_000, lifetime: 10 * HOUR_MS },
  { id: 4, name: "large", maxTokens: 8, tokenRefillRate: 2, maxAge: 180_000, lifetime: 2 * HOUR_MS },
].map((one) => plan(one));
const NAMES = ["small", "gold", "large"];
const cases = PLANS.map((one) => [one["name"] as string, one] as const);

const planned = (rest = {}): Edge => new Edge({ policy: policy({ plans: PLANS, ...rest }) });

function inTable(edge: Edge, id: number, answer: LiveAnswer): Session {
  const session = edge.newSession(id);
  edge.send(session);
  edge.answerLive({ plan: id, ...answer });
  return session;
}

/** What the plans' counters have come to, by plan. */
function counted(edge: Edge, name: string, outcome?: string): Record<string, number> {
  edge.flush();
  const labels = (planName: string): string[] => [
    `plan="${planName}"`,
    ...(outcome === undefined ? [] : [`outcome="${outcome}"`]),
  ];
  return Object.fromEntries(NAMES.map((one) => [one, edge.host.metrics.sum(name, ...labels(one))]));
}

describe.each(cases)("sessions of the plan %s among others", (name, { id, maxTokens, tokenRefillRate, maxAge }) => {
  const others = NAMES.filter((one) => one !== name);
  const nothingElse = Object.fromEntries(others.map((one) => [one, 0]));
  const [planId, tokens, rate] = [Number(id), Number(maxTokens), Number(tokenRefillRate)];

  it(`a denial that is remembered shows the limits of ${name}`, () => {
    const edge = planned();
    const session = inTable(edge, planId, { tokens: 0 });
    for (let times = 0; times < 3; times++) {
      const denied = edge.send(session);
      expect(denied.status).toBe(429);
      expect(denied.responseHeaders?.get("ratelimit")).toMatch(new RegExp(`^"${name}";r=0`));
      expect(denied.responseHeaders?.get("ratelimit-policy")).toMatch(new RegExp(`^"${name}";q=${tokens}`));
    }
    expect(counted(edge, "sluice_requests_total", "limited")).toEqual({ ...nothingElse, [name]: 4 });
  });

  it(`a denial that is remembered ends as soon as ${name} has refilled a token`, () => {
    const edge = planned();
    const session = inTable(edge, planId, { tokens: 0 });
    expect(edge.send(session).status).toBe(429);
    edge.clock.advanceMs(rate === 0 ? 10_000 : 1000 / rate - 1);
    expect(edge.send(session).status).toBe(429);
    edge.clock.advanceMs(1);
    expect(edge.send(session).status).toBe(rate === 0 ? 429 : 200);
  });

  it(`a denial says after how long ${name} has a token again`, () => {
    const edge = planned();
    const session = inTable(edge, planId, { tokens: 0 });
    const after = rate === 0 ? undefined : String(Math.ceil(1 / rate));
    for (let times = 0; times < 3; times++) expect(edge.send(session).responseHeaders?.get("retry-after")).toBe(after);
  });

  it(`admitted requests are counted and answered under ${name}`, () => {
    const edge = planned();
    const session = inTable(edge, planId, { tokens });
    const answer = edge.send(session);
    expect(answer.responseHeaders?.get("ratelimit")).toMatch(new RegExp(`^"${name}";r=${tokens - 2}`));
    expect(counted(edge, "sluice_requests_total", "allowed")).toEqual({ ...nothingElse, [name]: 2 });
    expect(counted(edge, "sluice_tokens_spent_total")).toEqual({ ...nothingElse, [name]: 2 });
  });

  it(`a spent budget is answered and counted under ${name}`, () => {
    const edge = planned();
    const session = inTable(edge, planId, { tokens, budgetSpent: true });
    expect(edge.send(session).responseHeaders?.get("ratelimit-policy")).toMatch(new RegExp(`^"${name}";q=${tokens}`));
    expect(counted(edge, "sluice_requests_total", "limited")).toEqual({ ...nothingElse, [name]: 2 });
  });

  it(`a session is idle by the maxAge of ${name}`, () => {
    const edge = planned();
    const session = inTable(edge, planId, { tokens });
    edge.clock.advanceMs(Number(maxAge));
    expect(edge.send(session).paused).toBe(false);
    edge.clock.advanceMs(Number(maxAge) + 1);
    expect(edge.send(session).paused).toBe(true);
  });

  it(`an open stream is asked about by the maxAge of ${name}, and after the grace of idle expiry`, () => {
    const edge = planned();
    const session = inTable(edge, planId, { tokens });
    openStream(session, edge.worker(0));
    edge.clock.advanceMs(Number(maxAge) + IDLE_GRACE_MS);
    edge.flush();
    expect(edge.pendingAcquires).toHaveLength(0);
    edge.clock.advanceMs(1);
    edge.flush();
    expect(sessionsOf(edge.callout)).toEqual([session.id]);
  });

  it(`an unverified session gets a full bucket of ${name}, and is counted there`, () => {
    const edge = planned({ onUnreachable: "trust" });
    const session = edge.newSession(planId);
    const waiting = edge.send(session);
    edge.callout.timeOut();
    expect(waiting.status).toBe(200);
    expect(edge.admitted(session, 20)).toBe(tokens - 1);
    expect(counted(edge, "sluice_requests_total", "allowed")).toEqual({ ...nothingElse, [name]: tokens });
  });

  it(`an unverified session ends when ${name} says`, () => {
    const lifetimeMs = Number(PLANS.find((one) => one["name"] === name)?.["lifetime"]);
    const edge = planned({ onUnreachable: "trust" });
    const [over, left] = [edge.clock.wallMs - lifetimeMs, edge.clock.wallMs - lifetimeMs + 1000];
    const streams = [over, left].map((atMs) => edge.send(edge.mint.mint(atMs, planId)));
    for (const call of edge.pendingAcquires) call.timeOut();
    expect(streams.map(({ status }) => status)).toEqual([401, 200]);
  });

  it(`a session is restored where the answer has less than a full bucket of ${name}`, () => {
    const edge = planned();
    inTable(edge, planId, { tokens });
    edge.flush();
    expect(edge.host.metrics.sum("sluice_restores_total")).toBe(0);
    inTable(edge, planId, { tokens: tokens - 1 });
    edge.flush();
    expect(edge.host.metrics.sum("sluice_restores_total")).toBe(1);
  });
});

describe("a token of several plans' policy that nobody can be asked about", () => {
  it("a token is too old only beyond the longest lifetime of all plans", () => {
    const edge = planned({ onUnreachable: "deny" });
    const ages = [9 * HOUR_MS, 10 * HOUR_MS + 1];
    const streams = ages.map((age) => edge.send(edge.mint.mint(edge.clock.wallMs - age, 9)));
    for (const call of edge.pendingAcquires) call.timeOut();
    expect(streams.map(({ status }) => status)).toEqual([503, 401]);
  });
});

describe("the outcomes of misses", () => {
  it("each outcome of a miss is counted by itself", () => {
    const edge = planned();
    const answers = { revoked: 3, expired: 2, unknown: 4 } as const;
    for (const [state, times] of Object.entries(answers)) {
      for (let n = 0; n < times; n++) {
        edge.send(edge.newSession(4));
        edge.callout.answer(200, endedAnswer(state as keyof typeof answers));
      }
    }
    inTable(edge, 4, { tokens: 3 });
    edge.flush();
    const of = (outcome: string): number => edge.host.metrics.sum("sluice_misses_total", `outcome="${outcome}"`);
    expect({ revoked: of("revoked"), expired: of("expired"), unknown: of("unknown") }).toEqual(answers);
    expect(of("live")).toBe(1);
  });
});
