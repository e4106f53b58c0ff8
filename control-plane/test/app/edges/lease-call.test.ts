// The lease call: what edges may spend of one budget, and what becomes of asks that cannot be answered.
import { describe, expect, it } from "vitest";

import { LEASE_TTL_MS, MAX_LEASE_ASKS } from "../../../../assembly/contract.js";
import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { UpdateConflict } from "../../../src/app/ports/update-ports.js";
import { readLeaseAsks } from "../../../src/http/edge/lease-asks.js";
import { created, expectError, INSTANCE, startTestControlPlane } from "../../support/control-plane.js";
import type { Answer, TestControlPlane } from "../../support/control-plane.js";
import { FLEET, sessionAt, STARTER } from "../../support/sessions.js";

const TOKEN = 1_000_000;
const THERE = { edge: "gw-2" };

async function started() {
  const plane = await startTestControlPlane();
  plane.setPlans(FLEET);
  const { session } = await created(plane);
  return { plane, id: session.id };
}

const tokens = (count: number) => ({ "": count * TOKEN });
/** For a request of one token, where so many are used in a second. */
const wish = (want: number) => ({ cost: tokens(1), want: tokens(want) });
const WHOLE = { cost: tokens(100), want: tokens(100) };
const ask = (session: string, number: number, want: number, more: object = {}) => {
  return { session, ask: number, applied: number - 1, ...wish(want), ...more };
};

interface Lease {
  readonly ask: number;
  readonly granted?: Readonly<Record<string, number>>;
  readonly refused?: { readonly limit: string; readonly retryAfter: number };
}

function leasesIn(answer: Answer): readonly Lease[] {
  expect(answer.status, answer.text).toBe(200);
  return (answer.body as { leases: Lease[] }).leases;
}

const grantedIn = (answer: Answer): number => (leasesIn(answer)[0]?.granted?.[""] ?? 0) / TOKEN;

async function metric(plane: TestControlPlane, labels: string): Promise<number> {
  const { text } = await plane.status("/metrics");
  return Number(
    text
      .split("\n")
      .find((line) => line.includes(labels))
      ?.split(" ")[1],
  );
}

describe("edges that ask for leases of one session", () => {
  it("what one edge is granted no other edge gets", async () => {
    const { plane, id } = await started();
    const first = await plane.lease([ask(id, 1, 500)]);
    expect(first.body).toMatchObject({ log: (await plane.store.position()).log });
    expect(leasesIn(first)).toEqual([{ session: id, ask: 1, granted: tokens(50), ttl: LEASE_TTL_MS }]);
    const half = { ...ask(id, 1, 50), cost: tokens(50) };
    expect(grantedIn(await plane.lease([half], THERE))).toBe(50);
    expect(grantedIn(await plane.lease([ask(id, 1, 1)], { edge: "gw-3" }))).toBe(0);
  });

  it("an edge that asks a dry budget is told when to ask again, and then gets tokens", async () => {
    const { plane, id } = await started();
    expect(grantedIn(await plane.lease([{ ...ask(id, 1, 0), ...WHOLE }]))).toBe(100);
    const [refused] = leasesIn(await plane.lease([ask(id, 1, 1)], THERE));
    expect(refused).toMatchObject({ ask: 1, granted: {}, refused: { limit: "" } });
    // 10 tokens a second, once the lease has ended: what it had counts as spent.
    plane.clock.advance(4000 + (refused?.refused?.retryAfter ?? 0));
    expect(grantedIn(await plane.lease([ask(id, 2, 1)], THERE))).toBe(1);
    expect(await metric(plane, 'lease_tokens_total{what="expired"}')).toBe(100);
    expect(await metric(plane, 'lease_asks_total{outcome="refused"}')).toBe(1);
  });

  it("an ask that comes twice is answered alike, and one of a former number with what counts", async () => {
    const { plane, id } = await started();
    const first = leasesIn(await plane.lease([ask(id, 5, 10)]));
    expect(leasesIn(await plane.lease([ask(id, 5, 10)]))).toEqual(first);
    expect(leasesIn(await plane.lease([ask(id, 4, 10)]))).toEqual([{ session: id, ask: 4, is: 5 }]);
    expect(await metric(plane, 'lease_tokens_total{what="granted"}')).toBe(10);
    for (const outcome of ["granted", "repeated", "stale"]) {
      expect(await metric(plane, `lease_asks_total{outcome="${outcome}"}`)).toBe(1);
    }
  });

  it("tokens that one edge gives back are another's to lease", async () => {
    const { plane, id } = await started();
    await plane.lease([{ ...ask(id, 1, 0), ...WHOLE }]);
    await plane.lease([{ session: id, ask: 2, applied: 1, back: tokens(60), want: {} }]);
    expect(grantedIn(await plane.lease([ask(id, 1, 500)], THERE))).toBe(30);
    expect(await metric(plane, 'lease_tokens_total{what="returned"}')).toBe(60);
    expect(await metric(plane, 'lease_tokens_total{what="spent"}')).toBe(40);
    expect(await metric(plane, 'lease_asks_total{outcome="idle"}')).toBe(1);
  });

  it("one commit has the asks of many calls, and each is answered of one budget", async () => {
    const { plane, id } = await started();
    const update = plane.store.update.bind(plane.store);
    let commits = 0;
    plane.store.update = (kind, ...asked) => {
      commits += kind === "leases" ? 1 : 0;
      return update(kind, ...asked);
    };
    const edges = Array.from({ length: 12 }, (_, i) => ({ edge: `gw-${i}`, instance: INSTANCE }));
    const calls = edges.map((edge) =>
      plane.ports.leases.commit([{ sessionId: id, ...edge, ...NOTHING_KEPT, ...wish(500), ask: 1 }]),
    );
    const became = (await Promise.all(calls)).flatMap((one) => [...(one?.values() ?? [])]);
    expect(commits).toBe(2);
    const granted = became.flatMap(({ leased }) => leased).map(({ answer }) => answer?.granted[""] ?? 0);
    expect(Math.min(...granted.slice(0, 12))).toBeGreaterThanOrEqual(TOKEN);
    expect(await metric(plane, 'lease_tokens_total{what="granted"}')).toBeLessThanOrEqual(100);
    expect(await metric(plane, 'lease_asks_total{outcome="granted"}')).toBe(12);
  });
});

/** Updates of that one are always decided on what others have changed since. */
function contested(plane: TestControlPlane, id: string): void {
  const update = plane.store.update.bind(plane.store);
  plane.store.update = (kind, wanted, decide) => {
    const isOfIt = kind === "leases" && (wanted as readonly string[]).includes(id);
    return isOfIt ? Promise.reject(new UpdateConflict(kind)) : update(kind, wanted, decide);
  };
}

it("a budget that was written at a later fleet time has that time count here too", async () => {
  const { plane, id } = await started();
  await plane.lease([ask(id, 1, 5)]);
  const LATER_MS = 60_000;
  await plane.store.update("leases", [id], ({ found }) => {
    const before = found.get(id)?.budget;
    const budgets = before === undefined ? [] : [{ sessionId: id, budget: { ...before, atMs: LATER_MS } }];
    return { answer: undefined, changes: { budgets } };
  });
  expect(plane.ports.fleetClock.now()?.ms).toBeLessThan(LATER_MS);
  await plane.lease([ask(id, 2, 5)]);
  expect(plane.ports.fleetClock.now()?.ms).toBe(LATER_MS);
});

const NOTHING_KEPT = { applied: 0, left: {}, back: {}, settled: {} };

describe("an ask that nothing is leased for", () => {
  it("a session that ended, is unknown or has a plan of edge scope is over", async () => {
    const { plane, id } = await started();
    plane.setPlans(FLEET, { ...STARTER, id: 1, name: "each" });
    const revoked = (await created(plane)).session.id;
    const each = (await created(plane, { plan: "each" })).session.id;
    await plane.call("DELETE", `/v1/sessions/${revoked}`);
    const stranger = sessionAt(plane.clock.nowMs()).id;
    const answer = await plane.lease([revoked, each, stranger, id].map((one) => ask(one, 3, 5)));
    const over = [revoked, each, stranger].map((session) => ({ session, ask: 3, over: true }));
    expect(leasesIn(answer)).toEqual([...over, { session: id, ask: 3, granted: tokens(5), ttl: LEASE_TTL_MS }]);
    expect(await metric(plane, 'lease_asks_total{outcome="over"}')).toBe(3);
  });

  it("an ask that is none is dropped, counted and named, and the others are answered", async () => {
    const { plane, id } = await started();
    const other = (await created(plane)).session.id;
    const answer = await plane.lease([{ ...ask(id, 1, 5), ask: 0 }, 7, ask(other, 1, 5)]);
    expect(leasesIn(answer)).toMatchObject([{ session: other, ask: 1 }]);
    expect(await metric(plane, 'lease_asks_total{outcome="malformed"}')).toBe(2);
    const lines = plane.logged().split("\n");
    expect(lines.filter((line) => line.includes("lease-ask-dropped"))).toEqual([
      expect.stringContaining(`"sessionId":"${id}"`),
      expect.not.stringContaining("sessionId"),
    ]);
  });

  it("a call with too many asks, or that is too large or of nobody, is denied as a whole", async () => {
    const { plane, id } = await started();
    const asks = Array.from({ length: MAX_LEASE_ASKS + 1 }, () => 1);
    expectError(await plane.lease(asks), "INVALID_REQUEST", "asks");
    expectError(await plane.lease([ask(id, 1, 5)], { instance: "X" }), "INVALID_REQUEST", "instance");
    expectError(await plane.lease([{ ...ask(id, 1, 5), more: "x".repeat(65_536) }]), "BODY_TOO_LARGE");
    expectError(
      await plane.call("POST", "/edge/v1/lease", { edge: "e", instance: INSTANCE, asks: [] }),
      "UNAUTHORIZED",
    );
    expect((await plane.lease([])).body).toEqual({ log: (await plane.store.position()).log, leases: [] });
  });

  it("a session that others write all the time leaves the other sessions of a call their leases", async () => {
    const { plane, id } = await started();
    const ids = [(await created(plane)).session.id, (await created(plane)).session.id];
    contested(plane, id);
    const answer = await plane.lease([ids[0] ?? "", id, ids[1] ?? ""].map((one) => ask(one, 1, 5)));
    expect(leasesIn(answer)).toMatchObject(ids.map((session) => ({ session, granted: tokens(5) })));
    expectError(await plane.lease([ask(id, 1, 5)]), "NOT_WRITTEN");
  });

  it("a call gets 503 where too many asks wait already, and nothing of it is taken", async () => {
    const { plane, id } = await started();
    const update = plane.store.update.bind(plane.store);
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    plane.store.update = async (...asked) => held.then(() => update(...asked));
    const one = { sessionId: sessionAt(0).id, edge: "gw-9", instance: INSTANCE, ask: 1, ...NOTHING_KEPT, ...wish(1) };
    // One commit is under way, and beside it as many wait as may.
    const [first, ...rest] = Array.from({ length: 65 }, () => plane.ports.leases.commit(Array(256).fill(one)));
    const answer = await plane.lease([ask(id, 1, 5)]);
    expect(expectError(answer, "NOT_READY")).toContain("ask again in a while");
    goOn();
    expect([await first, await rest.at(-1)]).not.toContain(undefined);
    expect((await plane.ports.usage.look(id)).found).not.toHaveProperty("budget");
  });

  it("a call gets 503 while no lease can be written", async () => {
    const { plane, id } = await started();
    plane.store.update = () => Promise.reject(new StoreUnwritable("the disk is full"));
    expectError(await plane.lease([ask(id, 1, 5)]), "NOT_WRITTEN");
    expect(await metric(plane, 'lease_tokens_total{what="granted"}')).toBe(0);
  });
});

describe("the form of an ask", () => {
  const id = sessionAt(0).id;

  it("amounts that are left out are none, and those past any bucket mean no more than that", () => {
    const said = { session: id, ask: 2, applied: 1, left: { "": -5, daily: 1 }, want: { constructor: 2 ** 53 - 1 } };
    expect(readLeaseAsks([said])).toEqual({
      asks: [
        {
          ...{ sessionId: id, ask: 2, applied: 1, left: { "": -5, daily: 1 }, back: {}, settled: {}, cost: {} },
          want: { constructor: 9_000_000 * TOKEN },
        },
      ],
      malformed: [],
    });
  });

  it.each([
    ["no number", { ask: undefined }],
    ["the number 0", { ask: 0 }],
    ["a number past 32 bits", { ask: 2 ** 32 }],
    ["no number that was applied", { applied: undefined }],
    ["an answer applied that is still to come", { applied: 1 }],
    ["half a microtoken", { left: { "": 0.5 } }],
    ["tokens to give back below 0", { back: { "": -1 } }],
    ["a refund below 0", { settled: { "": -1 } }],
    ["a cost below 0", { cost: { "": -1 } }],
    ["a debt past any bucket", { left: { "": -9_000_001 * TOKEN } }],
    ["a name that is none", { want: { Daily: 1 } }],
    ["more buckets than a plan has", { want: Object.fromEntries(Array.from("abcdefghi", (name) => [name, 1])) }],
    ["amounts in a list", { want: [1] }],
    ["no amounts", { left: null }],
  ])("an ask with %s is none", (_, wrong) => {
    expect(readLeaseAsks([{ ...ask(id, 1, 5), ...wrong }])).toEqual({ asks: [], malformed: [id] });
  });
});
