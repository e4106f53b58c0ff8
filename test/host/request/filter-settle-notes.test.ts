// The notes of streams that settle: how many there are, how long they last, and requests that need none.
import { describe, expect, it } from "vitest";
import {
  MAX_OPEN_STREAMS_OF_SESSION,
  MAX_SETTLE_NOTES,
  MAX_SETTLE_NOTES_OF_SESSION,
} from "../../../assembly/contract.js";
import { filterModule } from "../harness/builds/filter-modules.js";
import { plan, reportAnswer, REPORT_INTERVAL_MS } from "../harness/scenes/documents.js";
import { Edge } from "../harness/scenes/edge.js";
import { limit } from "../harness/scenes/limits.js";
import { LOOKED_AT_MS } from "../harness/scenes/open-streams.js";
import { costOf, headersOf } from "../harness/scenes/routed-requests.js";
import { run } from "../harness/host/guest.js";
import {
  BY_HEADER,
  OK,
  chat,
  chatter,
  llmLeft,
  settlements,
  settling,
  settlingEdge,
  settlingOwn,
  tokensCounted,
} from "../harness/scenes/settling.js";

const PLENTY = 9_000_000;

describe("notes of streams that settle", () => {
  const plentiful = (settle = settling(BY_HEADER)): Edge => {
    const llm = limit("llm", PLENTY, { applies: "routes" });
    return settlingEdge({ ...settle, plans: [plan({ maxTokens: PLENTY, limits: [llm] })] });
  };

  it("a reservation is the cost, and counted, while 4,096 others are to be settled", () => {
    const edge = plentiful();
    const streams = Array.from({ length: 8 }, () => edge.sessionInTable({ tokens: PLENTY })).flatMap((other) =>
      Array.from({ length: MAX_SETTLE_NOTES / 8 }, () => chat(edge, other)),
    );
    const session = edge.sessionInTable({ tokens: PLENTY });
    const late = chat(edge, session);
    late.respond({ ...OK, "x-cost": "0" });
    for (const stream of streams) stream.respond({ ...OK, "x-cost": "1" });
    expect(llmLeft(edge, session)).toBe(PLENTY - 40);
    expect(settlements(edge)).toEqual({ settled: MAX_SETTLE_NOTES, no_note: 1 });
    chat(edge, session).respond({ ...OK, "x-cost": "1" });
    expect(settlements(edge)).toEqual({ settled: MAX_SETTLE_NOTES + 1, no_note: 1 });
  });

  it("a session that has 1,024 requests to settle keeps no other session from settling", () => {
    const edge = plentiful();
    const greedy = edge.sessionInTable({ tokens: PLENTY });
    const streams = Array.from({ length: MAX_SETTLE_NOTES_OF_SESSION }, () => chat(edge, greedy));
    chat(edge, greedy).respond({ ...OK, "x-cost": "1" });
    expect(llmLeft(edge, greedy)).toBe(PLENTY - 40 * (MAX_SETTLE_NOTES_OF_SESSION + 1));
    const other = edge.sessionInTable({ tokens: PLENTY });
    chat(edge, other).respond({ ...OK, "x-cost": "1" });
    expect(llmLeft(edge, other)).toBe(PLENTY - 1);
    for (const stream of streams) stream.respond({ ...OK, "x-cost": "1" });
    chat(edge, greedy).respond({ ...OK, "x-cost": "1" });
    expect(llmLeft(edge, greedy)).toBe(PLENTY - MAX_SETTLE_NOTES_OF_SESSION - 41);
    expect(settlements(edge)).toEqual({ settled: MAX_SETTLE_NOTES_OF_SESSION + 2, no_note: 1 });
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
    for (let i = 0; i < MAX_SETTLE_NOTES_OF_SESSION; i++) chat(edge, session);
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

  it("a client that leaves at once keeps no note, also beside 1,024 open streams", () => {
    const edge = plentiful(settling({ ...BY_HEADER, onMissing: "refund" }));
    const session = edge.sessionInTable({ tokens: PLENTY });
    for (let i = 0; i < MAX_OPEN_STREAMS_OF_SESSION; i++) edge.worker(0).open(headersOf({ path: "/", session }));
    edge.worker(0).vanish(chat(edge, session));
    edge.passMs(LOOKED_AT_MS + 10_000);
    expect(edge.host.metrics.sum("sluice_streams_untracked_total")).toBe(1);
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
