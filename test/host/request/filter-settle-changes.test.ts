// Settling where the session's plan, or the policy, changed while the request was under way, and where it changed back: by the
// control plane's own answers. Levels are those that it answers, and a settlement moves them once or not at all.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import type { Stream } from "../harness/host/stream.js";
import {
  CURSOR,
  plan,
  policy,
  watchAnswer,
  type LiveAnswer,
  type PolicyDocument,
} from "../harness/scenes/documents.js";
import type { Edge } from "../harness/scenes/edge.js";
import { leftOf, limit } from "../harness/scenes/limits.js";
import { edgeFollowing, newestWatch, offer } from "../harness/scenes/policy-offer.js";
import { headersOf } from "../harness/scenes/routed-requests.js";
import type { Session } from "../harness/scenes/tokens.js";
import {
  BY_HEADER,
  chat,
  chatter,
  settlements,
  settling,
  settlingEdge,
  settlingOwn,
} from "../harness/scenes/settling.js";

const LLM = limit("llm", 100, { applies: "routes" });
const DAILY = limit("daily", 500);
/** Both have `llm`, and yet their levels are two plans'. */
const TWO_PLANS = [
  plan({ maxTokens: 1000, limits: [LLM] }),
  plan({ id: 1, name: "gold", maxTokens: 1000, limits: [LLM] }),
];

interface Reserved {
  readonly edge: Edge;
  readonly session: Session;
  readonly stream: Stream;
}

const following = (document: PolicyDocument): Edge => edgeFollowing(document, 1, { module: filterModule("settle") });

/** A request that has reserved 40 of 100 tokens. */
function reserved(edge: Edge): Reserved {
  const session = chatter(edge);
  const stream = chat(edge, session);
  return { edge, session, stream };
}

function respond({ stream }: Reserved): void {
  stream.respond({ ":status": "200", "x-cost": "7" });
}

/** A policy comes into force, and a request has the control plane asked, which answers. */
function change(to: Reserved, document: PolicyDocument, generation: number, answer: LiveAnswer): void {
  offer(newestWatch(to.edge), document, { generation });
  to.edge.passMs(2 * TICK_MS);
  ask(to, { ...answer, generation });
}

/** The operator has given the session another plan, or the same one again. */
function givePlan(to: Reserved, cursor: number, answer: LiveAnswer): void {
  to.edge.flush();
  newestWatch(to.edge).answer(200, watchAnswer({ refresh: [to.session.id], cursor }));
  to.edge.passMs(2 * TICK_MS);
  ask(to, { ...answer, cursor });
}

/** One more request, which costs a token of the plan's own bucket. */
function ask({ edge, session }: Reserved, answer: LiveAnswer): void {
  const waiting = edge.worker(0).open(headersOf({ path: "/", session }));
  edge.answerLive(answer);
  expect(waiting.state).toBe("upstream");
}

describe("a plan that changes while a request is to be settled", () => {
  it("a session that got another plan keeps its levels as they are when its request settles", () => {
    const to = reserved(settlingEdge(settling(BY_HEADER, { plans: TWO_PLANS })));
    expect(leftOf(to.edge, to.session, 1)).toEqual([99, 60]);
    givePlan(to, CURSOR + 1, { plan: 1, tokens: 99, levels: { llm: 60 } });
    expect(to.edge.table.record(to.session.id)?.planId).toBe(1);
    respond(to);
    expect(leftOf(to.edge, to.session, 1)).toEqual([98, 60]);
    expect(settlements(to.edge)).toEqual({ other_limits: 1 });
  });

  it("a session that got another plan and its own again gets back what its request left over", () => {
    const to = reserved(settlingEdge(settling(BY_HEADER, { plans: TWO_PLANS })));
    givePlan(to, CURSOR + 1, { plan: 1, tokens: 99, levels: { llm: 60 } });
    givePlan(to, CURSOR + 2, { plan: 0, tokens: 98, levels: { llm: 60 } });
    expect(leftOf(to.edge, to.session, 1)).toEqual([97, 60]);
    respond(to);
    expect(leftOf(to.edge, to.session, 1)).toEqual([97, 93]);
    expect(settlements(to.edge)).toEqual({ settled: 1 });
  });

  it("a reservation of the plan's own bucket is consumed under the plan that its session got", () => {
    const plans = [plan({ maxTokens: 100 }), plan({ id: 1, name: "gold", maxTokens: 100 })];
    const to = reserved(settlingEdge(settlingOwn(BY_HEADER, { plans })));
    givePlan(to, CURSOR + 1, { plan: 1, tokens: 59 });
    expect(to.edge.table.record(to.session.id)).toMatchObject({ planId: 1, levelTokens: 58, consumed: 2 });
    respond(to);
    expect(to.edge.table.record(to.session.id)).toMatchObject({ levelTokens: 58, consumed: 42 });
    expect(settlements(to.edge)).toEqual({ other_limits: 1 });
  });
});

describe("a policy that changes while a request is to be settled", () => {
  const withDaily = settling(BY_HEADER, { plans: [plan({ maxTokens: 1000, limits: [DAILY, LLM] })] });

  it("a limit that the plan has got meanwhile leaves all levels alone when a request settles", () => {
    const to = reserved(following(settling(BY_HEADER)));
    change(to, withDaily, 2, { tokens: 99, levels: { llm: 60 } });
    expect(leftOf(to.edge, to.session, 2)).toEqual([98, 499, 60]);
    respond(to);
    expect(leftOf(to.edge, to.session, 2)).toEqual([98, 499, 60]);
    expect(settlements(to.edge)).toEqual({ other_limits: 1 });
  });

  it("limits that are the old ones again by then give back what a request left over", () => {
    const to = reserved(following(settling(BY_HEADER)));
    change(to, withDaily, 2, { tokens: 99, levels: { llm: 60 } });
    change(to, settling(BY_HEADER), 3, { tokens: 98, levels: { llm: 60, daily: 499 } });
    respond(to);
    expect(leftOf(to.edge, to.session, 1)).toEqual([97, 93]);
    expect(settlements(to.edge)).toEqual({ settled: 1 });
  });

  it("limits that were taken away and came back give back what a request left over", () => {
    const to = reserved(following(settling(BY_HEADER)));
    change(to, policy({ plans: [plan({ maxTokens: 1000 })] }), 2, { tokens: 99, levels: { llm: 60 } });
    expect(to.edge.table.annexes()).toBe(0);
    change(to, settling(BY_HEADER), 3, { tokens: 98, levels: { llm: 60 } });
    respond(to);
    expect(leftOf(to.edge, to.session, 1)).toEqual([97, 93]);
  });

  it("a route that settles no more settles what it has let through before", () => {
    const to = reserved(following(settling(BY_HEADER)));
    offer(newestWatch(to.edge), settling({}, { routes: [] }), { generation: 2 });
    to.edge.passMs(2 * TICK_MS);
    respond(to);
    expect(leftOf(to.edge, to.session, 1)).toEqual([99, 93]);
    expect(settlements(to.edge)).toEqual({ settled: 1 });
  });

  it("a plan's own bucket is settled where the plan got a limit meanwhile", () => {
    const limited = settlingOwn(BY_HEADER, { plans: [plan({ maxTokens: 100, limits: [DAILY] })] });
    for (const isFirst of [true, false]) {
      const to = reserved(following(settlingOwn(BY_HEADER)));
      offer(newestWatch(to.edge), limited, { generation: 2 });
      to.edge.passMs(2 * TICK_MS);
      if (isFirst) respond(to);
      expect(to.edge.table.record(to.session.id)).toMatchObject(
        isFirst ? { levelTokens: 92, consumed: 8 } : { levelTokens: 59, consumed: 1 },
      );
      ask(to, { tokens: 99, levels: {}, generation: 2 });
      if (!isFirst) respond(to);
      expect(leftOf(to.edge, to.session, 1)).toEqual([91, 499]);
      expect(to.edge.table.record(to.session.id)?.consumed).toBe(9);
      expect(settlements(to.edge)).toEqual({ settled: 1 });
    }
  });

  it("a plan that the policy has no more leaves its session's levels as they are, and consumes", () => {
    const plans = [plan({ maxTokens: 100 }), plan({ id: 1, name: "gold", maxTokens: 100 })];
    const edge = following(settlingOwn(BY_HEADER, { plans }));
    const session = edge.sessionInTable({ plan: 1, tokens: 100 });
    const stream = chat(edge, session);
    offer(newestWatch(edge), settlingOwn(BY_HEADER), { generation: 2 });
    edge.passMs(2 * TICK_MS);
    stream.respond({ ":status": "200", "x-cost": "7" });
    expect(edge.table.record(session.id)).toMatchObject({ levelTokens: 59, consumed: 41 });
    expect(settlements(edge)).toEqual({ other_limits: 1 });
  });
});
