// Settling while other things happen: other workers, other policies, sessions that end or move.
import { describe, expect, it } from "vitest";
import { RECORD_ENDED, RECORD_PLAN_ID_AT, RECORD_STATE_AT, TICK_MS } from "../../../assembly/contract.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { liveAnswer, plan, policy, settings } from "../harness/scenes/documents.js";
import { edgeFollowing, newestWatch, offer } from "../harness/scenes/policy-offer.js";
import { leftOf, limit } from "../harness/scenes/limits.js";
import { LOOKED_AT_MS, revoke } from "../harness/scenes/open-streams.js";
import { headersOf, levelOf } from "../harness/scenes/routed-requests.js";
import {
  BY_HEADER,
  JSON_HEADERS,
  OK,
  chat,
  chatter,
  isLetThrough,
  llmLeft,
  pieces,
  settlements,
  settling,
  settlingEdge,
  settlingOwn,
  tokensCounted,
} from "../harness/scenes/settling.js";

describe("settling beside other workers", () => {
  it("a settlement moves the level by the difference alone, whatever was spent meanwhile", () => {
    const edge = settlingEdge(settling(BY_HEADER), { workers: 2 });
    const session = chatter(edge);
    const first = chat(edge, session, 0);
    const second = chat(edge, session, 1);
    expect(llmLeft(edge, session)).toBe(20);
    first.respond({ ...OK, "x-cost": "10" });
    expect(llmLeft(edge, session)).toBe(50);
    const third = chat(edge, session, 1);
    third.respond({ ...OK, "x-cost": "45" });
    second.respond({ ...OK, "x-cost": "0" });
    expect(llmLeft(edge, session)).toBe(100 - 10 - 45);
    expect(tokensCounted(edge)).toEqual({ reserved: 120, settled: 55, refunded: 70, overdrawn: 5 });
  });

  it("a settlement is tried again where another worker wrote the set in between", () => {
    const edge = settlingEdge(settling(BY_HEADER), { workers: 2 });
    const session = chatter(edge);
    const stream = chat(edge, session);
    let raced = false;
    edge.host.hooks.each(
      "before",
      ({ name, vm }) => name === "proxy_set_shared_data" && vm === edge.worker(0),
      () => {
        if (raced) return;
        raced = true;
        edge.send(session, 1);
      },
    );
    const own = leftOf(edge, session, 1)[0] ?? NaN;
    stream.respond({ ...OK, "x-cost": "10" });
    expect(raced).toBe(true);
    expect(leftOf(edge, session, 1)).toEqual([own - 1, 90]);
    edge.flush();
    expect(edge.host.metrics.sum("sluice_cas_retries_total")).toBe(1);
  });

  it("a settlement that loses 32 writes in a row to other workers is done with a later tick", () => {
    const edge = settlingEdge(settling(BY_HEADER), { workers: 2 });
    const session = chatter(edge);
    const stream = chat(edge, session);
    let faster = 0;
    edge.host.hooks.each(
      "before",
      ({ name, vm }) => name === "proxy_set_shared_data" && vm === edge.worker(0) && faster < 64,
      () => {
        faster++;
        edge.send(session, 1);
      },
    );
    stream.respond({ ...OK, "x-cost": "10" });
    // Once with the response, and once more with the end of its stream.
    expect(faster).toBe(64);
    expect(llmLeft(edge, session)).toBe(60);
    edge.passMs(TICK_MS);
    expect(llmLeft(edge, session)).toBe(90);
    expect(settlements(edge)).toEqual({ settled: 1 });
    expect(edge.host.metrics.sum("sluice_cas_exhausted_total")).toBe(2);
    edge.passMs(10 * TICK_MS);
    expect(settlements(edge)).toEqual({ settled: 1 });
  });

  it("a limit is never passed where reservations are upper bounds, over two workers", () => {
    const edge = settlingEdge(settling(BY_HEADER), { workers: 2 });
    const session = chatter(edge);
    let cost = 0;
    let open = [chat(edge, session, 0), chat(edge, session, 1)];
    for (let round = 0; round < 200; round++) {
      const stream = edge.worker(round % 2).open(headersOf({ path: "/chat", session }));
      if (stream.state === "upstream") {
        open.push(stream);
        continue;
      }
      const said = (round * 7) % 41;
      cost += said;
      open[0]?.respond({ ...OK, "x-cost": String(said) });
      open = open.slice(1);
      if (open.length === 0) break;
    }
    expect(cost + 40 * open.length).toBeLessThanOrEqual(100);
    expect(llmLeft(edge, session)).toBe(100 - cost - 40 * open.length);
  });

  it("a session that was denied is let through as soon as a settlement gives tokens back", () => {
    const edge = settlingEdge(settling(BY_HEADER));
    const session = chatter(edge);
    const streams = [chat(edge, session), chat(edge, session)];
    expect(isLetThrough(edge, session)).toBe(false);
    expect(isLetThrough(edge, session)).toBe(false);
    streams[0]?.respond({ ...OK, "x-cost": "1" });
    expect(isLetThrough(edge, session)).toBe(true);
  });

  it("a bucket that filled up meanwhile does not forgive what a request owes", () => {
    const refilled = settling(BY_HEADER, {
      plans: [plan({ maxTokens: 1000, limits: [limit("llm", 100, { applies: "routes", tokenRefillRate: 10 })] })],
    });
    const edge = settlingEdge(refilled);
    const session = chatter(edge);
    const stream = chat(edge, session);
    edge.clock.advanceMs(30_000);
    stream.respond({ ...OK, "x-cost": "70" });
    expect(llmLeft(edge, session)).toBe(70);
    const refund = chat(edge, session);
    edge.clock.advanceMs(30_000);
    refund.respond({ ...OK, "x-cost": "0" });
    expect(llmLeft(edge, session)).toBe(100);
  });
});

describe("settling a session that changed meanwhile", () => {
  it("a settlement does nothing under limits of other names, and is counted", () => {
    const edge = settlingEdge(settling(BY_HEADER));
    const session = chatter(edge);
    const stream = chat(edge, session);
    const other = [limit("other", 100, { applies: "routes" })];
    edge.worker(0).configure(settings(policy({ plans: [plan({ maxTokens: 1000, limits: other })] })));
    edge.send(session);
    edge.acquires.at(-1)?.answer(200, liveAnswer({ tokens: 1000, levels: {} }));
    stream.respond({ ...OK, "x-cost": "1" });
    expect(settlements(edge)).toEqual({ other_limits: 1 });
    expect(llmLeft(edge, session)).toBe(100);
  });

  it("a settlement does nothing once the control plane's policy has other limits", () => {
    const edge = edgeFollowing(settling(BY_HEADER), 1, { module: filterModule("settle") });
    const session = chatter(edge);
    const stream = chat(edge, session);
    const other = [limit("other", 100, { applies: "routes" })];
    offer(newestWatch(edge), policy({ plans: [plan({ maxTokens: 1000, limits: other })] }), { generation: 2 });
    edge.passMs(2 * TICK_MS);
    edge.send(session);
    edge.acquires.at(-1)?.answer(200, liveAnswer({ tokens: 1000, levels: {}, generation: 2 }));
    expect(llmLeft(edge, session)).toBe(100);
    stream.respond({ ...OK, "x-cost": "90" });
    expect(llmLeft(edge, session)).toBe(100);
    expect(settlements(edge)).toEqual({ other_limits: 1 });
  });

  it("a session that owes more than a limit holds by now gets nothing back for a high cost", () => {
    const edge = edgeFollowing(settling(BY_HEADER), 1, { module: filterModule("settle") });
    const session = chatter(edge);
    const [first, second] = [chat(edge, session), chat(edge, session)];
    first.respond({ ...OK, "x-cost": "1000" });
    expect(llmLeft(edge, session)).toBe(-100);
    const smaller = [limit("llm", 40, { applies: "routes" })];
    const plans = [plan({ maxTokens: 1000, limits: smaller })];
    offer(newestWatch(edge), settling(BY_HEADER, { plans }), { generation: 2 });
    edge.passMs(2 * TICK_MS);
    // Near 2^64 picotokens, past what a level can go down from there.
    second.respond({ ...OK, "x-cost": "15000000" });
    expect(llmLeft(edge, session)).toBe(-100);
    expect(settlements(edge)).toEqual({ settled: 2 });
  });

  it("the plan's own bucket is settled although other limits stand beside it by now", () => {
    const edge = edgeFollowing(settlingOwn(BY_HEADER), 1, { module: filterModule("settle") });
    const session = chatter(edge);
    const stream = chat(edge, session);
    const before = levelOf(edge, session);
    offer(
      newestWatch(edge),
      settlingOwn(BY_HEADER, { plans: [plan({ maxTokens: 100, limits: [limit("other", 90)] })] }),
      {
        generation: 2,
      },
    );
    edge.passMs(2 * TICK_MS);
    edge.send(session);
    edge.acquires.at(-1)?.answer(200, liveAnswer({ tokens: before, consumed: 1, levels: {}, generation: 2 }));
    stream.respond({ ...OK, "x-cost": "1" });
    expect(settlements(edge)).toEqual({ settled: 1 });
  });

  it("a settlement does nothing under another plan, and is counted", () => {
    const plans = [plan({ maxTokens: 100 }), plan({ id: 1, name: "other", maxTokens: 100 })];
    const edge = settlingEdge(settlingOwn(BY_HEADER, { plans }));
    const session = chatter(edge);
    const stream = chat(edge, session);
    edge.table.patch(session.id, (record) => record.writeUInt16LE(1, 68));
    stream.respond({ ...OK, "x-cost": "1" });
    expect(levelOf(edge, session)).toBe(59);
    expect(settlements(edge)).toEqual({ other_limits: 1 });
  });

  it("what a request reserved is consumed where its session has ended or has another plan", () => {
    const plans = [plan({ maxTokens: 100 }), plan({ id: 1, name: "other", maxTokens: 100 })];
    const edge = settlingEdge(settlingOwn(BY_HEADER, { plans }));
    const ended = chatter(edge);
    const elsewhere = chatter(edge);
    const before = edge.host.metrics.sum("sluice_tokens_spent_total");
    const streams = [chat(edge, ended), chat(edge, elsewhere)];
    const consumed = (): (number | undefined)[] => [ended, elsewhere].map(({ id }) => edge.table.record(id)?.consumed);
    expect(consumed()).toEqual([1, 1]);
    edge.table.patch(ended.id, (record) => record.writeUInt8(RECORD_ENDED, RECORD_STATE_AT));
    edge.table.patch(elsewhere.id, (record) => record.writeUInt16LE(1, RECORD_PLAN_ID_AT));
    const revs = [ended, elsewhere].map(({ id }) => edge.table.record(id)?.rev ?? NaN);
    for (const stream of streams) stream.respond({ ...OK, "x-cost": "1" });
    expect(settlements(edge)).toEqual({ ended: 1, other_limits: 1 });
    expect(consumed()).toEqual([41, 41]);
    // So the next report says it.
    expect([ended, elsewhere].map(({ id }) => edge.table.record(id)?.rev)).toEqual(revs.map((rev) => rev + 1));
    expect(edge.host.metrics.sum("sluice_tokens_spent_total") - before).toBe(2 + 80);
  });

  it("a settlement does nothing for a session that is over or gone, and is counted", () => {
    const edge = settlingEdge(settling(BY_HEADER));
    const ended = chatter(edge);
    const streams = [chat(edge, ended), chat(edge, ended)];
    edge.passMs(LOOKED_AT_MS);
    revoke(edge, ended);
    const before = edge.table.record(ended.id);
    streams[0]?.respond({ ...OK, "x-cost": "1" });
    // It is closed with its session.
    edge.passMs(3000);
    expect(streams[1]?.state).toBe("closed");
    expect(edge.table.record(ended.id)?.rev).toBe(before?.rev);
    expect(settlements(edge)).toEqual({ ended: 1, no_value: 1 });
    const other = settlingEdge(settling(BY_HEADER));
    const gone = chatter(other);
    const stream = chat(other, gone);
    other.table.patch(gone.id, (record) => record.fill(0));
    stream.respond({ ...OK, "x-cost": "1" });
    expect(settlements(other)).toEqual({ no_record: 1 });
  });

  it("a settlement goes by its own policy, however many came into force since", () => {
    const edge = edgeFollowing(settling({ json: "/total" }), 1, { module: filterModule("settle") });
    const session = chatter(edge);
    const stream = chat(edge, session);
    for (let generation = 2; generation < 8; generation++) {
      offer(newestWatch(edge), settling({ json: "/other", times: generation }), { generation });
      edge.passMs(2 * TICK_MS);
    }
    stream.respondWith(JSON_HEADERS, pieces('{"other":50,"total":7}', 3));
    expect(llmLeft(edge, session)).toBe(93);
    expect(settlements(edge)).toEqual({ settled: 1 });
  });
});
