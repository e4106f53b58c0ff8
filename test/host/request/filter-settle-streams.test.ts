// Settling while other things happen: other workers, other policies, sessions that end, streams that leave, and too many.
import { describe, expect, it } from "vitest";
import {
  MAX_OPEN_STREAMS_OF_SESSION,
  MAX_SETTLE_NOTES,
  RECORD_ENDED,
  RECORD_PLAN_ID_AT,
  RECORD_STATE_AT,
  TICK_MS,
} from "../../../assembly/contract.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { liveAnswer, plan, policy, reportAnswer, settings, REPORT_INTERVAL_MS } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { edgeFollowing, newestWatch, offer } from "../harness/scenes/policy-offer.js";
import { leftOf, limit } from "../harness/scenes/limits.js";
import { LOOKED_AT_MS, revoke } from "../harness/scenes/open-streams.js";
import { costOf, headersOf, levelOf } from "../harness/scenes/routed-requests.js";
import { run } from "../harness/host/guest.js";
import {
  JSON_HEADERS,
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

const OK = { ":status": "200" };
const BY_HEADER = { header: "x-cost" };
const PLENTY = 9_000_000;

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

describe("notes of streams that settle", () => {
  const plentiful = (settle = settling(BY_HEADER)): Edge => {
    const llm = limit("llm", PLENTY, { applies: "routes" });
    return settlingEdge({ ...settle, plans: [plan({ maxTokens: PLENTY, limits: [llm] })] });
  };

  it("a reservation is the cost, and counted, while 4,096 others are to be settled", () => {
    const edge = plentiful();
    const session = edge.sessionInTable({ tokens: PLENTY });
    const streams = Array.from({ length: MAX_SETTLE_NOTES }, () => chat(edge, session));
    const late = chat(edge, session);
    expect(llmLeft(edge, session)).toBe(PLENTY - 40 * (MAX_SETTLE_NOTES + 1));
    late.respond({ ...OK, "x-cost": "0" });
    for (const stream of streams) stream.respond({ ...OK, "x-cost": "1" });
    expect(llmLeft(edge, session)).toBe(PLENTY - MAX_SETTLE_NOTES - 40);
    expect(settlements(edge)).toEqual({ settled: MAX_SETTLE_NOTES, no_note: 1 });
    chat(edge, session).respond({ ...OK, "x-cost": "1" });
    expect(settlements(edge)).toEqual({ settled: MAX_SETTLE_NOTES + 1, no_note: 1 });
  });

  it("streams that last give back what they did not use, under 20,000 newer ones", () => {
    const edge = plentiful();
    const session = edge.sessionInTable({ tokens: PLENTY });
    const lasting = Array.from({ length: 100 }, () => chat(edge, session));
    for (let i = 0; i < 20_000; i++) {
      chat(edge, session).respond({ ...OK, "x-cost": "1" });
      if (i % 300 === 0) edge.clock.advanceMs(1000);
    }
    expect(llmLeft(edge, session)).toBe(PLENTY - 20_000 - 40 * lasting.length);
    for (const stream of lasting) stream.respond({ ...OK, "x-cost": "3" });
    expect(llmLeft(edge, session)).toBe(PLENTY - 20_000 - 3 * lasting.length);
    expect(settlements(edge)).toEqual({ settled: 20_000 + lasting.length });
  });

  it("a reservation that cannot be noted is consumed at once", () => {
    const edge = plentiful(settlingOwn(BY_HEADER));
    const session = edge.sessionInTable({ tokens: PLENTY });
    const before = edge.table.record(session.id)?.consumed ?? 0;
    for (let i = 0; i < MAX_SETTLE_NOTES; i++) chat(edge, session);
    expect(edge.table.record(session.id)?.consumed).toBe(before);
    chat(edge, session);
    expect(edge.table.record(session.id)?.consumed).toBe(before + 40);
  });

  it("a client that leaves as it is let through keeps no note", () => {
    const edge = settlingEdge(settling({ ...BY_HEADER, onMissing: "refund" }));
    const vm = edge.worker(0);
    const session = edge.newSession();
    const stream = vm.open(headersOf({ path: "/chat", session }));
    run(vm.enter(stream, "proxy_on_delete", stream.id));
    edge.answerLive({ tokens: 100 });
    vm.vanish(stream);
    expect(llmLeft(edge, session)).toBe(60);
    edge.passMs(LOOKED_AT_MS + 1000);
    expect(llmLeft(edge, session)).toBe(100);
    expect(settlements(edge)).toEqual({ no_value: 1 });
  });

  it("a thousand clients that leave as they are let through keep no note", () => {
    const edge = plentiful(settling({ ...BY_HEADER, onMissing: "refund" }));
    const session = edge.sessionInTable({ tokens: PLENTY });
    for (let i = 0; i <= MAX_OPEN_STREAMS_OF_SESSION; i++) edge.worker(0).vanish(chat(edge, session));
    edge.passMs(LOOKED_AT_MS + 10_000);
    expect(llmLeft(edge, session)).toBe(PLENTY);
  });
});

describe("requests that reserve nothing", () => {
  it("a request that reserves nothing costs no host call more in the build that settles", () => {
    const edge = settlingEdge(settling(BY_HEADER));
    const session = chatter(edge);
    const calls: string[] = [];
    edge.host.hooks.each(
      "before",
      () => true,
      ({ name }) => calls.push(name),
    );
    edge.send(session);
    const withSettle = calls.splice(0);
    const full = new Edge({ module: filterModule("release"), policy: settling({}, { routes: [] }) });
    const other = full.sessionInTable({ tokens: 100 });
    full.host.hooks.each(
      "before",
      () => true,
      ({ name }) => calls.push(name),
    );
    full.send(other);
    // A policy with routes reads the path.
    expect(withSettle.filter((name) => name !== "proxy_get_header_map_value")).toEqual(
      calls.filter((name) => name !== "proxy_get_header_map_value"),
    );
  });

  it("a request of a plan without the limit, or denied in shadow, reserves nothing", () => {
    const llm = limit("llm", 100, { applies: "routes" });
    const plans = [plan({ maxTokens: 1000, limits: [llm] }), plan({ id: 1, name: "other", maxTokens: 10 })];
    const edge = settlingEdge(settling(BY_HEADER, { plans, enforcement: "shadow" }));
    const other = edge.sessionInTable({ plan: 1, tokens: 9 });
    expect(costOf(edge, other, { path: "/chat" })).toBe(1);
    const session = chatter(edge);
    for (let i = 0; i < 4; i++) chat(edge, session);
    expect(tokensCounted(edge).reserved).toBe(80);
    expect(llmLeft(edge, session)).toBe(20);
  });
});

describe("what is settled is reported", () => {
  it("the next report carries what a request really cost", () => {
    const edge = settlingEdge(settlingOwn(BY_HEADER));
    const session = chatter(edge);
    const stream = chat(edge, session);
    edge.passMs(REPORT_INTERVAL_MS);
    for (const report of edge.pendingReports) report.answer(200, reportAnswer());
    const acked = edge.table.record(session.id)?.rev;
    stream.respond({ ...OK, "x-cost": "7" });
    edge.passMs(REPORT_INTERVAL_MS);
    const report = edge.pendingReports[0];
    const body = JSON.parse(Buffer.from(report?.body ?? []).toString()) as { usage: [string, number, number][] };
    const row = body.usage.find(([id]) => id === session.id);
    expect(row?.slice(1, 3)).toEqual([(acked ?? 0) + 1, 1 + 7]);
  });
});

describe("the other builds of the filter", () => {
  it("the other builds reject settings whose policy settles, and name the one that can", () => {
    for (const build of ["release", "lean"] as const) {
      const edge = new Edge({ module: filterModule(build), policy: settling(BY_HEADER) });
      expect(edge.worker(0).accepted).toBe(false);
      const file = build === "lean" ? "sluice-lean.wasm" : "sluice.wasm";
      expect(edge.host.messages("error").join()).toContain(
        `edge settings rejected: policy.routes[0].settle: ${file} has no callback for what a response says, ` +
          "expected null, or sluice-settle.wasm as the filter",
      );
    }
    expect(settlingEdge(settling(BY_HEADER)).worker(0).accepted).toBe(true);
  });

  it("a policy that settles is rejected by the full build, which goes on with the last one", () => {
    const edge = edgeFollowing(policy(), 1);
    const session = edge.sessionInTable({ tokens: 9 });
    edge.passMs(TICK_MS);
    offer(edge.watch, settling(BY_HEADER), { generation: 2 });
    edge.passMs(2 * TICK_MS);
    expect(edge.host.messages("error").join()).toMatch(
      /policy generation 2 rejected: routes\[0\]\.settle: sluice\.wasm /,
    );
    expect(edge.admitted(session, 20)).toBe(9);
    const settles = edgeFollowing(settling(BY_HEADER), 1, { module: filterModule("settle") });
    expect(chat(settles, chatter(settles)).state).toBe("upstream");
  });

  it("the other builds have no callback for a response's body, nor for its trailers", () => {
    const callbacks = (build: "release" | "lean" | "settle"): string[] =>
      WebAssembly.Module.exports(filterModule(build))
        .map(({ name }) => name)
        .filter((name) => /response_(body|trailers)/.test(name));
    expect(callbacks("release")).toEqual([]);
    expect(callbacks("lean")).toEqual([]);
    expect(callbacks("settle").sort()).toEqual(["proxy_on_response_body", "proxy_on_response_trailers"]);
  });
});
