// A policy comes into force while requests are under way: what they get is decided by one policy, never by two halves.
import { describe, expect, it } from "vitest";
import { TICK_MS } from "../../../assembly/contract.js";
import { liveAnswer, plan, policy, type PolicyDocument } from "../harness/scenes/documents.js";
import { Edge, requestWith } from "../harness/scenes/edge.js";
import { edgeFollowing, newestWatch, offer } from "../harness/scenes/policy-offer.js";
import type { Session } from "../harness/scenes/tokens.js";

const ten = policy({ response: { headers: "draft" } });
const named = (name: string, overrides: PolicyDocument = {}): PolicyDocument =>
  policy({ response: { headers: "draft" }, plans: [plan({ name })], ...overrides });

const following = (document: PolicyDocument, workers = 1): Edge => edgeFollowing(document, 1, { workers });

let generation = 1;
function swap(edge: Edge, document: PolicyDocument): void {
  generation += 1;
  offer(newestWatch(edge), document, { generation });
  edge.passMs(TICK_MS);
}

function omitted(edge: Edge): number {
  edge.flush();
  return edge.host.metrics.sum("sluice_headers_omitted_total");
}

describe("a response whose request was admitted before a change of policy", () => {
  it("a response has the limit headers of the policy that admitted its request", () => {
    const edge = following(named("before"));
    const session = edge.sessionInTable({ tokens: 9 });
    const stream = edge.worker(0).open(requestWith(session));
    swap(edge, named("after"));
    stream.respond();
    expect(stream.responseHeaders?.get("ratelimit")).toBe('"before";r=8');
    expect(omitted(edge)).toBe(0);
  });

  it("a response has its limit headers also where the change took its plan away", () => {
    const edge = following(named("before"));
    const sessions = [edge.sessionInTable({ tokens: 9 }), edge.sessionInTable({ tokens: 9 })];
    const [first, second] = sessions.map((session) => edge.worker(0).open(requestWith(session)));
    swap(edge, policy({ response: { headers: "none" }, plans: [plan({ id: 3, name: "other" })] }));
    first?.respond();
    second?.respond();
    expect(first?.responseHeaders?.get("ratelimit")).toBe('"before";r=8');
    expect(second?.responseHeaders?.get("ratelimit")).toBe('"before";r=8');
  });

  it("a response after two policy changes has no limit headers, which is counted", () => {
    const edge = following(named("before"));
    const session = edge.sessionInTable({ tokens: 9 });
    const stream = edge.worker(0).open(requestWith(session));
    swap(edge, named("between"));
    swap(edge, named("after"));
    stream.respond();
    expect(stream.responseHeaders?.get("ratelimit")).toBeUndefined();
    expect(stream.status).toBe(200);
    expect(omitted(edge)).toBe(1);
  });

  it("a response has its limit headers where only the generation changed", () => {
    const edge = following(named("before"));
    const session = edge.sessionInTable({ tokens: 9 });
    const stream = edge.worker(0).open(requestWith(session));
    for (let change = 0; change < 5; change++) swap(edge, named("before"));
    stream.respond();
    expect(stream.responseHeaders?.get("ratelimit")).toBe('"before";r=8');
  });

  it("a response has its settings' limit headers where a first policy comes meanwhile", () => {
    const edge = new Edge({ policy: named("own") });
    edge.flush();
    const session = edge.sessionInTable({ tokens: 9 });
    const stream = edge.worker(0).open(requestWith(session));
    swap(edge, named("after"));
    stream.respond();
    expect(stream.responseHeaders?.get("ratelimit")).toBe('"own";r=8');
  });
});

describe("a request that waits for its session across a change of policy", () => {
  function waiting(document = ten): { edge: Edge; session: Session; stream: ReturnType<Edge["send"]> } {
    const edge = following(document);
    const session = edge.newSession();
    return { edge, session, stream: edge.send(session) };
  }

  it("a waiting request is decided by the new policy's plans", () => {
    const { edge, session, stream } = waiting(named("before"));
    swap(edge, named("after", { plans: [plan({ name: "after", maxTokens: 4 })] }));
    edge.answerLive();
    expect(stream.responseHeaders?.get("ratelimit")).toBe('"after";r=3');
    expect(edge.table.record(session.id)?.consumed).toBe(1);
  });

  it("a waiting request gets 401 where the new policy reads another header", () => {
    const { edge, stream } = waiting();
    swap(edge, policy({ header: "x-other" }));
    edge.answerLive();
    expect(stream).toMatchObject({ status: 401, reachedUpstream: false });
    expect(stream.local?.body).toContain("MISSING_SESSION");
  });

  it("a waiting request is decided by the token in the header that counts by now", () => {
    const edge = following(ten);
    const [session, other] = [edge.newSession(), edge.sessionInTable({ tokens: 5 })];
    const headers = [...requestWith(session), ["x-other", other.token]] as [string, string][];
    const stream = edge.worker(0).request(headers);
    swap(edge, policy({ header: "x-other" }));
    edge.answerLive();
    expect(stream.status).toBe(200);
    expect(edge.table.record(other.id)?.levelTokens).toBe(4);
    expect(edge.table.record(session.id)?.consumed).toBe(0);
  });

  it("a waiting request passes unmetered where enforcement is off by now", () => {
    const { edge, session, stream } = waiting();
    swap(edge, policy({ enforcement: "off" }));
    edge.answerLive();
    expect(stream).toMatchObject({ status: 200, reachedUpstream: true });
    expect(edge.table.record(session.id)?.consumed).toBe(0);
  });

  it("a waiting request gets 503 where its plan is gone", () => {
    const { edge, stream } = waiting();
    swap(edge, policy({ plans: [plan({ id: 3, name: "other" })] }));
    edge.answerLive();
    edge.passMs(TICK_MS);
    expect(stream).toMatchObject({ status: 503, reachedUpstream: false });
  });

  it("a waiting request follows the new policy's onUnreachable where no answer comes", () => {
    const { edge, stream } = waiting(policy({ onUnreachable: "trust" }));
    swap(edge, policy({ onUnreachable: "deny" }));
    while (edge.pendingAcquires.length > 0) edge.pendingAcquires[0]?.timeOut();
    expect(stream).toMatchObject({ status: 503, reachedUpstream: false });
  });

  it("a waiting request of an ended session is denied after at most three calls", () => {
    const { edge, stream } = waiting();
    for (let change = 0; change < 6 && stream.paused; change++) {
      swap(edge, policy({ plans: [plan({ maxTokens: 20 + change })] }));
      edge.pendingAcquires[0]?.answer(200, liveAnswer({ log: "ffffffffffffffff" }));
    }
    expect(stream.paused).toBe(false);
    expect(edge.acquires.length).toBeLessThanOrEqual(3);
  });

  it("a waiting request whose client left is not resumed, and pays nothing", () => {
    const { edge, session, stream } = waiting();
    swap(edge, named("after"));
    stream.abandon();
    edge.answerLive();
    expect(edge.table.record(session.id)?.consumed).toBe(0);
    expect(edge.worker(0).failure).toBeUndefined();
  });
});

describe("a session that was denied a moment ago", () => {
  it("a denied session is decided anew under the new policy, at once", () => {
    const slow = (tokenRefillRate: number): PolicyDocument => policy({ plans: [plan({ tokenRefillRate })] });
    const edge = following(slow(0));
    const session = edge.sessionInTable({ tokens: 0 });
    edge.clock.advanceMs(50);
    expect(edge.send(session).status).toBe(429);
    offer(newestWatch(edge), slow(1000), { generation: 90 });
    expect(edge.send(session).status).toBe(200);
  });
});
