// The request path allocates nothing on the managed heap: 100,000 mixed requests do not enter the allocator once.
import { beforeAll, describe, expect, it } from "vitest";
import { COUNTER, countingAllocations } from "../host/harness/builds/allocation-counter.js";
import { COMPILE_TIMEOUT_MS, settleDebugBytes } from "../host/harness/builds/filter-builds.js";
import { leaseAnswer, leaseOf } from "../host/harness/scenes/leases.js";
import { limit } from "../host/harness/scenes/limits.js";
import { plan, policy, settings } from "../host/harness/scenes/documents.js";
import { sessionsOf } from "../host/harness/scenes/batches.js";
import { Edge, requestWith } from "../host/harness/scenes/edge.js";
import { filterBytes } from "../host/harness/builds/filter-modules.js";
import type { HeaderInput, HeaderPairs } from "../host/harness/host/header-map.js";
import { edgeWithoutPolicy, newestWatch, offer } from "../host/harness/scenes/policy-offer.js";
import { Random } from "../host/harness/host/random.js";
import { withBitFlipped, type Session } from "../host/harness/scenes/tokens.js";
import type { Vm } from "../host/harness/host/vm.js";

const REQUESTS = 100_000;
const TOKEN_BITS = 288;

let module: WebAssembly.Module;
let counted: readonly string[];
beforeAll(() => {
  const counting = countingAllocations(filterBytes("debug"));
  module = new WebAssembly.Module(counting.wasm);
  counted = counting.counted;
});

function allocations(vm: Vm): number {
  return vm.guest.global(COUNTER).value;
}

function startEdge(onUnreachable: string): Edge {
  const plans = [plan({ maxTokens: 1000, tokenRefillRate: 3 }), plan({ id: 1, name: "small", maxTokens: 2 })];
  return new Edge({ module, policy: policy({ plans, onUnreachable, response: { headers: "both" } }) });
}

/** Every kind of request that a client can send, drawn by weight. */
function requests(edge: Edge, random: Random): () => HeaderInput {
  const rich = Array.from({ length: 20 }, () => edge.sessionInTable({ tokens: 900 }));
  const poor = Array.from({ length: 5 }, () => edge.sessionInTable({ plan: 1, tokens: 1 }));
  const strangers = new Edge({ secret: "ef".repeat(32) });
  const stranger = (): Session => strangers.mint.mint(edge.clock.wallMs);
  const genuine = rich[0]?.token ?? "";
  const kinds: (() => HeaderInput)[] = [
    ...Array.from({ length: 6 }, () => () => requestWith(random.pick(rich))),
    ...Array.from({ length: 3 }, () => () => requestWith(random.pick(poor))),
    () => requestWith(undefined),
    () => requestWith(""),
    () => requestWith(genuine.slice(0, random.below(48))),
    () => requestWith(withBitFlipped(genuine, random.below(TOKEN_BITS))),
    () => requestWith(stranger()),
    () => requestWith("A".repeat(20_000)),
    () => requestWith(Buffer.from(random.bytes(48)).toString("latin1")),
    () => [...requestWith(random.pick(rich)), ["content-type", "application/grpc"]],
    () => [...requestWith(random.pick(poor)), ["x-session-id", genuine]],
  ];
  return () => random.pick(kinds)();
}

describe("the allocator", () => {
  it("the allocator is entered when a policy is taken and when an answer is read", () => {
    expect(counted.length).toBeGreaterThanOrEqual(2);
    const edge = startEdge("trust");
    const configured = allocations(edge.worker(0));
    expect(configured).toBeGreaterThan(0);
    edge.send(edge.newSession());
    edge.answerLive();
    expect(allocations(edge.worker(0))).toBeGreaterThan(configured);
  });

  it("the allocator is not entered by 100,000 requests: hits, denials, invalid tokens", () => {
    const edge = startEdge("trust");
    const random = new Random(11);
    const next = requests(edge, random);
    const before = allocations(edge.worker(0));
    const statuses = new Map<number | undefined, number>();
    for (let i = 0; i < REQUESTS; i++) {
      const { status } = edge.worker(0).request(next());
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (random.chance(0.01)) edge.clock.advanceMs(random.below(20));
    }
    expect(allocations(edge.worker(0)) - before).toBe(0);
    expect([...statuses.keys()].sort()).toEqual([200, 401, 429]);
    for (const count of statuses.values()) expect(count).toBeGreaterThan(REQUESTS / 20);
  });

  it("the allocator is not entered by 20,000 requests of a policy with every kind of route", () => {
    const routes = [
      { match: { path: "/healthz" }, exempt: true },
      { match: { template: "/a/{b}/{rest*}", methods: ["GET"] }, cost: 2, enforcement: { shadow: 50 } },
      { match: { prefix: "/hosts", hosts: ["*.service.test", "service.test"] }, enforcement: "observe" },
      { match: { prefix: "/", headers: [{ name: "x-a", value: "1" }, { name: "x-b" }] }, enforcement: "off" },
    ];
    const plans = [plan({ maxTokens: 50, tokenRefillRate: 3, enforcement: "shadow" })];
    const edge = new Edge({ module, policy: policy({ plans, routes }) });
    const sessions = Array.from({ length: 10 }, () => edge.sessionInTable({ tokens: 40 }));
    const paths = [
      "/healthz",
      "/healthz/..",
      "/a/b/c?d",
      "/hosts/x",
      "/",
      "*",
      `/${"x".repeat(5000)}`,
      "y".repeat(70_000),
    ];
    const random = new Random(12);
    const before = allocations(edge.worker(0));
    for (let i = 0; i < 20_000; i++) {
      const token = random.chance(0.2) ? undefined : random.pick([random.pick(sessions), "invented"]);
      const more: HeaderPairs = random.chance(0.5) ? [["x-a", random.pick(["1", "2", "1".repeat(300)])]] : [];
      const both: HeaderPairs = random.chance(0.5) ? [["x-b", ""]] : [];
      edge.worker(0).request([...requestWith(token, random.pick(paths)), ...more, ...both]);
    }
    expect(allocations(edge.worker(0)) - before).toBe(0);
  });

  it(
    "the allocator is not entered by requests that are settled by what their responses say",
    async () => {
      const settles = new WebAssembly.Module(countingAllocations(await settleDebugBytes()).wasm);
      const llm = limit("llm", 9_000_000, { applies: "routes" });
      const plans = [plan({ maxTokens: 9_000_000, limits: [llm] })];
      const route = (prefix: string, settle: object): object => ({ match: { prefix }, limits: { llm: 5 }, settle });
      const routes = [
        route("/json", { limit: "llm", json: "/total" }),
        route("/own", { json: "/total", onMissing: "refund" }),
        route("/header", { limit: "llm", header: "x-cost" }),
        route("/trailer", { limit: "llm", trailer: "x-cost" }),
        route("/metadata", { limit: "llm", metadata: ["a", "b"] }),
      ];
      const edge = new Edge({ module: settles, policy: policy({ plans, routes }) });
      const session = edge.sessionInTable({ tokens: 9_000_000 });
      const before = allocations(edge.worker(0));
      const types = ["application/json", "text/event-stream", "text/plain"];
      const pieces = [Buffer.from('data: {"total":'), Buffer.from("5}\n\n")];
      const random = new Random(13);
      for (let i = 0; i < 5000; i++) {
        const path = random.pick(["/json", "/own", "/header", "/trailer", "/metadata"]);
        const stream = edge.worker(0).open(requestWith(session, path));
        stream.attributes.set("metadata.filter_metadata.a.b", "3");
        const headers = { ":status": "200", "content-type": random.pick(types), "x-cost": "3" };
        if (random.chance(0.1)) stream.abandon();
        else stream.respondWith(headers, pieces, { "x-cost": "4" });
      }
      expect(allocations(edge.worker(0)) - before).toBe(0);
      edge.flush();
      expect(edge.host.metrics.sum("sluice_settlements_total")).toBe(5000);
    },
    COMPILE_TIMEOUT_MS,
  );

  it("the allocator is not entered by 20,000 requests of plans with seven limits", () => {
    const limits = Array.from({ length: 7 }, (_, index) => {
      return { name: `limit-${index}`, maxTokens: 40 + index, refill: `${index + 1}000/1h` };
    });
    const routes = [{ match: { prefix: "/dear" }, cost: 3, limits: { "limit-2": 5, "limit-4": null } }];
    const response = { headers: "both", limits: "all" };
    const edge = new Edge({ module, policy: policy({ plans: [plan({ maxTokens: 50, limits })], routes, response }) });
    const random = new Random(7);
    const sessions = Array.from({ length: 20 }, () => edge.sessionInTable({ tokens: 49, levels: {} }));
    const before = allocations(edge.worker(0));
    const statuses = new Set<number | undefined>();
    for (let i = 0; i < 20_000; i++) {
      const path = random.pick(["/", "/dear"]);
      statuses.add(edge.worker(0).request(requestWith(random.pick(sessions), path)).status);
      if (random.chance(0.01)) edge.clock.advanceMs(random.below(200));
    }
    expect(allocations(edge.worker(0)) - before).toBe(0);
    expect(statuses).toEqual(new Set([200, 429]));
    // Other limits from here on: each session is asked about, with what its record says.
    edge.worker(0).configure(settings(policy({ plans: [plan({ limits: limits.slice(1) })] })));
    const asking = allocations(edge.worker(0));
    for (const session of sessions) expect(edge.send(session).paused).toBe(true);
    expect(allocations(edge.worker(0)) - asking).toBe(0);
  });

  it("the allocator is not entered by 20,000 requests of a fleet plan, nor by their asks", () => {
    const limits = [limit("daily", 400), limit("search", 400, { applies: "routes" })];
    const plans = [plan({ maxTokens: 1000, scope: "fleet", limits })];
    const routes = [{ match: { prefix: "/dear" }, cost: 3, limits: { search: 5 } }];
    const edge = new Edge({ module, policy: policy({ plans, routes, response: { headers: "both", limits: "all" } }) });
    const random = new Random(17);
    const worker = edge.worker(0);
    const sessions = Array.from({ length: 20 }, () => {
      const session = edge.newSession();
      edge.send(session);
      edge.answerLive({ tokens: 0, lease: leaseOf(1, { tokens: { "": 9, daily: 9, search: 9 } }) });
      return session;
    });
    let allocated = 0;
    let sent = 0;
    // Metrics are named with the first request that they count, and the tick after it.
    const counting = (work: () => void): void => {
      const before = allocations(worker);
      work();
      if (sent > 2000) allocated += allocations(worker) - before;
    };
    const outcomes = new Set<unknown>();
    for (; sent < 20_000; sent++) {
      counting(() => {
        const stream = worker.request(requestWith(random.pick(sessions), random.pick(["/", "/dear"])));
        outcomes.add(stream.paused ? "waits" : stream.status);
      });
      if (!random.chance(0.05)) continue;
      edge.clock.advanceMs(random.below(200));
      counting(() => {
        worker.tick();
      });
      for (const call of edge.pendingLeases) {
        const refused = random.chance(0.5) ? { limit: "daily", retryAfter: 60 } : undefined;
        const tokens: Record<string, number> = refused === undefined ? { "": 9, daily: 9, search: 9 } : {};
        call.answer(200, leaseAnswer(call, { tokens, ...(refused && { refused }) }));
      }
    }
    expect(outcomes).toEqual(new Set([200, 429, "waits"]));
    expect(edge.leases.length).toBeGreaterThan(100);
    expect(allocated).toBe(0);
  });

  it("the allocator is not entered by misses that wait for an answer", () => {
    const edge = startEdge("deny");
    for (let round = 0; round < 20; round++) {
      const before = allocations(edge.worker(0));
      const streams = Array.from({ length: 50 }, () => edge.newSession()).flatMap((session) => [
        edge.send(session),
        edge.send(session),
      ]);
      expect(streams.every((stream) => stream.paused)).toBe(true);
      expect(allocations(edge.worker(0)) - before).toBe(0);
      for (let [call] = edge.pendingAcquires; call !== undefined; [call] = edge.pendingAcquires) call.timeOut();
    }
    expect(edge.acquires.flatMap((call) => sessionsOf(call))).toHaveLength(1000);
  });

  it("the allocator is not entered by sessions admitted unverified", () => {
    const edge = startEdge("trust");
    edge.host.dispatchResult = 2;
    const before = allocations(edge.worker(0));
    for (let i = 0; i < 500; i++) expect(edge.send(edge.newSession()).status).toBe(200);
    expect(allocations(edge.worker(0)) - before).toBe(0);
  });

  it("the allocator is not entered by requests under a policy, or waiting for one", () => {
    const edge = edgeWithoutPolicy({ module });
    edge.flush();
    const first = allocations(edge.worker(0));
    const held = Array.from({ length: 500 }, () => edge.send("invented"));
    expect(allocations(edge.worker(0)) - first).toBe(0);
    offer(edge.watch, policy({ response: { headers: "both" } }));
    edge.passMs(200);
    expect(held.filter((stream) => stream.status === 401)).toHaveLength(500);
    const session = edge.sessionInTable({ tokens: 9 });
    const before = allocations(edge.worker(0));
    expect(edge.admitted(session, 500)).toBe(9);
    expect(allocations(edge.worker(0)) - before).toBe(0);
  });

  it("the allocator is not entered by requests whose plan is on its way, or is not", () => {
    const edge = new Edge({ module, workers: 2 });
    edge.flush();
    const session = edge.sessionInTable({ plan: 0, tokens: 9 });
    edge.worker(1).configure(settings(policy({ plans: [plan({ id: 3, name: "other" })] })));
    const before = allocations(edge.worker(1));
    expect(edge.send(session, 1).status).toBe(503);
    offer(newestWatch(edge), policy());
    const waiting = Array.from({ length: 100 }, () => edge.send(session, 1));
    expect(waiting.every((stream) => stream.paused)).toBe(true);
    expect(allocations(edge.worker(1)) - before).toBe(0);
  });

  it("memory does not grow, not even over answers of the control plane", () => {
    const edge = startEdge("deny");
    const memoryBytes = (): number => edge.worker(0).guest.memory.size;
    const ask = (): void => {
      edge.send(edge.newSession());
      edge.host.pendingCallouts[0]?.answer(200, '{"state":"unknown"}');
    };
    for (let i = 0; i < 100; i++) ask();
    const before = memoryBytes();
    for (let i = 0; i < 5000; i++) ask();
    expect(memoryBytes()).toBe(before);
  });
});
