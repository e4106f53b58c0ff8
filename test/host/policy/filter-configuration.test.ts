// Taking a policy into service: which ones are rejected and why, and that a change of policy loses nothing.
import { describe, expect, it } from "vitest";
import { MAX_AGE_MS, OTHER_SECRET, SECRET, liveAnswer, plan, policy, settings } from "../harness/scenes/documents.js";
import { Edge, requestWith, type EdgeOptions } from "../harness/scenes/edge.js";
import { run } from "../harness/host/guest.js";

const SHORT = Buffer.from(SECRET.slice(2), "hex");

describe("a configuration that the filter rejects", () => {
  const rejected: [string, EdgeOptions, RegExp][] = [
    ["without a secret", { secret: "" }, /SLUICE_SECRET/],
    ["with a secret of 31 bytes in base64", { secret: SHORT.toString("base64") }, /SLUICE_SECRET.*at least 32 bytes/],
    ["with a secret of 31 bytes in hex", { secret: SHORT.toString("hex") }, /SLUICE_SECRET.*at least 32 bytes/],
    ["with a secret that is neither hex nor base64", { secret: "?".repeat(64) }, /SLUICE_SECRET/],
    ["with a short second secret", { secretAlso: "abcd" }, /SLUICE_SECRET_ALSO.*at least 32 bytes/],
    ["with twice the same secret", { secretAlso: SECRET }, /SLUICE_SECRET_ALSO.*another/],
    ["without a node.id", { nodeId: null }, /node\.id: expected a name for this Envoy.*--service-node/],
    ["with an empty node.id", { nodeId: "" }, /node\.id: expected a name for this Envoy.*--service-node/],
    ["with a node.id of 257 bytes", { nodeId: "ü".repeat(128) + "x" }, /node\.id: .*at most 256 bytes, got 257/],
    ["with a node.id of 5,000 bytes", { nodeId: "x".repeat(5000) }, /node\.id: .*at most 256 bytes, got 5000/],
    ["with a node.id in Latin-1", { nodeId: Buffer.from("gr\xfcn", "latin1") }, /node\.id: expected UTF-8/],
    ["with a node.id that ends in mid-character", { nodeId: Buffer.of(0x61, 0xc3) }, /node\.id: expected UTF-8/],
    ["with half a surrogate pair in node.id", { nodeId: Buffer.of(0xed, 0xa0, 0x80) }, /node\.id: expected UTF-8/],
    ["with a node.id of two lines", { nodeId: "edge\n1" }, /node\.id: expected no control characters/],
    ["without plans", { policy: policy({ plans: [] }) }, /plans/],
    ["with an unknown field", { policy: policy({ colour: "red" }) }, /colour/],
    [
      "with a number as text",
      { policy: policy({ plans: [plan({ maxTokens: "10" })] }) },
      /policy\.plans\[0\]\.maxTokens/,
    ],
  ];

  it.each(rejected)("a configuration %s is rejected in the log, and serves nothing", (_what, options, reason) => {
    const edge = new Edge(options);
    expect(edge.worker(0).accepted).toBe(false);
    expect(edge.worker(0).failure).toBeUndefined();
    expect(edge.host.messages("error").join("\n")).toMatch(reason);
    expect(edge.host.messages().join()).not.toContain(SECRET.slice(2));
  });

  it("a rejected configuration is rejected on every worker, whatever the table holds", () => {
    const edge = new Edge({ workers: 2 });
    edge.sessionInTable();
    const bad = settings(policy({ onMiss: "guess" }));
    expect(edge.workers.map((worker) => worker.configure(bad))).toEqual([false, false]);
  });

  it("a rejected configuration leaves the old policy serving", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 3 });
    expect(edge.worker(0).configure("{")).toBe(false);
    expect(edge.admitted(session, 10)).toBe(3);
  });
});

describe("a change of policy", () => {
  const changed = settings(policy({ plans: [plan({ maxTokens: 6, tokenRefillRate: 1 })] }));

  it("a policy change keeps every session's tokens, clamped to the new capacity", () => {
    const edge = new Edge();
    const [rich, poor, exhausted] = [9, 2, 0].map((tokens) => edge.sessionInTable({ tokens }));
    if (rich === undefined || poor === undefined || exhausted === undefined) throw new Error("three are needed");
    expect(edge.worker(0).configure(changed)).toBe(true);
    expect([rich, poor, exhausted].map((session) => edge.admitted(session, 20))).toEqual([6, 2, 0]);
    edge.clock.advanceMs(1000);
    expect([rich, poor, exhausted].map((session) => edge.admitted(session, 20))).toEqual([1, 1, 1]);
    expect(edge.pendingAcquires).toHaveLength(0);
  });

  it("requests that wait finish on the settings that they began with", () => {
    const edge = new Edge({ policy: policy({ response: { headers: "draft" } }) });
    const waiting = edge.send(edge.newSession());
    edge.worker(0).configure(settings(policy({ response: { headers: "none" } })));
    expect(edge.worker(0).roots()).toHaveLength(2);
    edge.callout.answer(200, liveAnswer());
    expect(waiting.status).toBe(200);
    expect(waiting.responseHeaders?.get("ratelimit")).toBe('"default";r=9');
    expect(edge.worker(0).roots()).toHaveLength(1);
  });

  it("a session is asked for on the new policy while the old one's answer is out", () => {
    const edge = new Edge();
    const session = edge.newSession();
    const old = edge.send(session);
    edge.worker(0).configure(changed);
    const fresh = edge.send(session);
    for (const callout of edge.pendingAcquires) callout.answer(200, liveAnswer());
    expect([old.status, fresh.status]).toEqual([200, 200]);
    expect(edge.table.record(session.id)?.consumed).toBe(2);
  });

  it("a policy that is gone has its calls freed, so that they bound nothing", () => {
    const edge = new Edge({ policy: policy({ onUnreachable: "deny" }) });
    for (let round = 0; round < 3; round++) {
      for (let call = 0; call < 200; call++) edge.send(edge.newSession()).abandon();
      edge.worker(0).configure(settings(policy({ onUnreachable: "deny" })));
    }
    expect(edge.send(edge.newSession()).paused).toBe(true);
  });

  it("sessions of a plan that is taken away get 503 until they have another", () => {
    const edge = new Edge({ policy: policy({ plans: [plan(), plan({ id: 4, name: "gold" })] }) });
    const session = edge.sessionInTable({ plan: 4 });
    edge.worker(0).configure(settings(policy()));
    expect(edge.send(session)).toMatchObject({ status: 503, reachedUpstream: false });
    expect(edge.table.record(session.id)).toMatchObject({ planId: 4, levelTokens: 9 });
  });

  it("a VM takes 200 policies in turn, with levels kept and old policies gone", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 5 });
    const sizes = new Set<number>();
    for (let change = 1; change <= 200; change++) {
      expect(edge.worker(0).configure(settings(policy()))).toBe(true);
      if (change > 20) sizes.add(edge.worker(0).guest.memory.size);
    }
    expect(sizes.size, "different sizes of the guest's memory").toBe(1);
    expect(edge.worker(0).roots()).toHaveLength(1);
    expect(edge.admitted(session, 10)).toBe(5);
  });

  it("enforcement: off lets everything pass and spends nothing", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 0 });
    edge.worker(0).configure(settings(policy({ enforcement: "off" })));
    expect([edge.send(session).status, edge.send("invented").status, edge.send("").status]).toEqual([200, 200, 200]);
  });
});

describe("counters", () => {
  const counted = (edge: Edge): number[] =>
    ['"allowed",plan="default"', '"limited",plan="default",limit="default"', '"invalid"', '"missing"'].map((labels) =>
      edge.host.metrics.sum(`sluice_requests_total{outcome=${labels}}`),
    );

  it("counters reach Envoy on a tick, each request once, from every worker", () => {
    const edge = new Edge({ workers: 2 });
    const session = edge.sessionInTable({ tokens: 3 });
    edge.admitted(session, 3, 0);
    edge.admitted(session, 3, 1);
    edge.send("invented");
    edge.send("", 1);
    edge.flush();
    edge.flush();
    expect(counted(edge)).toEqual([4, 3, 1, 1]);
    expect(edge.host.metrics.sum("sluice_tokens_spent_total")).toBe(4);
    expect(edge.host.metrics.sum('sluice_misses_total{outcome="live"}')).toBe(1);
  });

  it("counters of a policy that waits for its last stream come with the new one's ticks", () => {
    const edge = new Edge();
    const session = edge.sessionInTable();
    const slow = edge.worker(0).open(requestWith(session));
    edge.worker(0).configure(settings(policy()));
    const fresh = edge.worker(0).roots().at(-1);
    if (fresh === undefined) throw new Error("there is no root");
    run(edge.worker(0).enter(fresh, "proxy_on_tick", fresh.id));
    expect(counted(edge)[0]).toBe(2);
    slow.respond();
  });

  it("counters are not lost when a policy is replaced or the plugin goes", () => {
    const edge = new Edge();
    const session = edge.sessionInTable({ tokens: 5 });
    edge.worker(0).configure(settings(policy()));
    edge.admitted(session, 2);
    edge.worker(0).remove();
    expect(counted(edge)[0]).toBe(3);
  });
});

describe("the wall clock", () => {
  const YEAR_MS = 31_536_000_000;

  it.each([
    ["a year ahead", YEAR_MS],
    ["a year back", -YEAR_MS],
  ])("a wall clock jumping %s changes nothing for sessions in the table", (_where, ms) => {
    const edge = new Edge({ policy: policy({ plans: [plan({ tokenRefillRate: 1 })] }) });
    const session = edge.sessionInTable({ tokens: 2 });
    edge.clock.jumpWallMs(ms);
    expect(edge.admitted(session, 5)).toBe(2);
    edge.clock.advanceMs(3000);
    expect(edge.admitted(session, 5)).toBe(3);
    edge.clock.advanceMs(MAX_AGE_MS - 1);
    expect(edge.send(session).status).toBe(200);
    expect(edge.acquires).toHaveLength(1);
  });
});

describe("names as long as they may be", () => {
  it("names as long as they may be fit into every call and answer", () => {
    const name = "n".repeat(32);
    const cluster = `outbound|8080||${"c".repeat(200)}.svc.cluster.local`;
    const plans = [plan({ name, maxTokens: 9_000_000, tokenRefillRate: 0.000001 })];
    const edge = new Edge({
      nodeId: '"'.repeat(128),
      policy: policy({ plans, response: { headers: "both" } }),
      settings: { controlPlane: { cluster } },
    });
    const session = edge.sessionInTable({ tokens: 8_999_998 });
    expect(edge.acquires[0]).toMatchObject({ cluster, json: { edge: '"'.repeat(128) } });
    const { responseHeaders } = edge.send(session);
    expect(responseHeaders?.get("ratelimit-policy")).toBe(`"${name}";q=9000000;w=9000000000000`);
    expect(responseHeaders?.get("ratelimit")).toBe(`"${name}";r=8999997;t=1000000`);
    expect(responseHeaders?.get("x-ratelimit-reset")).toBe("3000000");
    expect(responseHeaders?.get("x-ratelimit-limit")).toBe("9000000");
  });

  it("the worker ticks ten times a second, so that its counts are seen soon", () => {
    expect(new Edge().worker(0).roots()[0]?.tickPeriodMs).toBe(100);
  });
});

describe("the second secret", () => {
  it("a second secret is for tokens only: calls show the first one's credential", () => {
    const edge = new Edge({ secretAlso: OTHER_SECRET });
    edge.send(edge.newSession());
    expect(edge.callout.headers.get("authorization")).toBe(`Bearer ${edge.mint.edgeCredential}`);
  });
});
