// Leases that are decided by a process which stood still, or whose store went into another life under it.
import { describe, expect, it } from "vitest";

import { LEASE_GRACE_MS, LEASE_TTL_MS } from "../../../../assembly/contract.js";
import { decideLeases } from "../../../src/domain/decisions/lease-tokens.js";
import type { LeaseAsk } from "../../../src/domain/leases/lease-ask.js";
import type { FleetMoment } from "../../../src/domain/leases/store-life.js";
import { MemoryStore } from "../../../src/store/memory/store.js";
import { raisedTo } from "../../support/fleet-budgets.js";
import { FLEET, sessionAt } from "../../support/sessions.js";
import { withVerbs } from "../../support/store-verbs.js";

const TOKEN = 1_000_000;
const [FIRST, SECOND] = ["10000000000000aa", "20000000000000bb"];
const tokens = (count: number) => ({ "": count * TOKEN });
const half = (edge: string, number: number): LeaseAsk => ({
  ...{ edge, instance: "a".repeat(16), ask: number, applied: number - 1, left: {}, back: {}, settled: {} },
  ...{ cost: tokens(50), want: tokens(50) },
});
const clock = (by: string, ms: number, log = FIRST): FleetMoment => ({ log, ms, by, leads: new Map() });

/** A budget of 100 tokens and 10 a second that was full at 1000 ms, of a session that was there before. */
async function begun() {
  const memory = new MemoryStore(FIRST);
  const store = withVerbs(memory);
  const session = sessionAt(0, FLEET);
  await store.create(session);
  /** What is granted to one ask, tokens. */
  const granted = async (by: FleetMoment | undefined, ask: LeaseAsk): Promise<number> => {
    const terms = { clock: by, wallMs: 0, planOf: () => FLEET };
    const asks = [{ ...ask, sessionId: session.id }];
    const { answer } = await store.update("leases", [session.id], (found) => decideLeases(found, asks, terms));
    return (answer.get(session.id)?.leased[0]?.answer?.granted[""] ?? 0) / TOKEN;
  };
  const budget = async () => (await store.usage.look(session.id)).found?.budget;
  await raisedTo(store, 1000);
  await granted(clock("two", 1000), { ...half("gw-0", 1), want: {} });
  return { memory, store, granted, budget };
}

describe("a control plane that stood still", () => {
  it("a clock that stood for 10 s finds nothing full at a time that has passed", async () => {
    const { store, granted, budget } = await begun();
    await raisedTo(store, 11_000);
    expect(await granted(clock("one", 1000), half("gw-1", 1))).toBe(50);
    expect((await budget())?.atMs).toBe(11_000);
    await granted(clock("one", 1000), { ...half("gw-1", 2), want: {} });
    // All of it is spent by now. By the time before, what came in for 10 s would be there again.
    const atOnce = [1, 2, 3].map((number) => half("gw-2", number));
    const more: number[] = [];
    for (const ask of atOnce) more.push(await granted(clock("two", 11_000), ask));
    expect(more.reduce((sum, one) => sum + one, 0)).toBe(50);
  });

  it("what others decided between a load and its commit counts, and the time of then", async () => {
    const { memory, store, granted, budget } = await begun();
    memory.betweenLoadAndCommit = async () => {
      memory.betweenLoadAndCommit = () => Promise.resolve();
      await raisedTo(store, 11_000);
      expect(await granted(clock("two", 11_000), half("gw-2", 1))).toBe(50);
    };
    expect(await granted(clock("one", 1000), half("gw-1", 1))).toBe(50);
    expect(await budget()).toMatchObject({ atMs: 11_000, levels: { "": { micro: 0 } } });
    expect(await granted(clock("two", 11_000), half("gw-3", 1))).toBe(0);
  });

  it("a lease that is written 10 s after it was decided is over, and its tokens count as spent", async () => {
    const { memory, store, granted, budget } = await begun();
    memory.betweenLoadAndCommit = async () => {
      memory.betweenLoadAndCommit = () => Promise.resolve();
      await raisedTo(store, 11_000);
    };
    // Its edge has long given up the call.
    expect(await granted(clock("one", 1000), half("gw-1", 1))).toBe(50);
    expect((await budget())?.leases.find(({ edge }) => edge === "gw-1")).toMatchObject({
      untilMs: 1000 + LEASE_TTL_MS + LEASE_GRACE_MS,
    });
    const more = [await granted(clock("two", 11_000), half("gw-2", 1)), await granted(undefined, half("gw-3", 1))];
    expect(more).toStrictEqual([50, 50]);
  });
});

describe("a store that goes into another life", () => {
  it("what was decided in the life before is not written in the next one", async () => {
    const { memory, granted, budget } = await begun();
    memory.betweenLoadAndCommit = () => {
      memory.betweenLoadAndCommit = () => Promise.resolve();
      memory.invalidations.change(SECOND);
      return Promise.resolve();
    };
    expect(await granted(clock("one", 1000), half("gw-1", 1))).toBe(0);
    expect(await budget()).toMatchObject({ log: SECOND, frozenUntilMs: 1000 + LEASE_TTL_MS + LEASE_GRACE_MS });
  });

  it("a clock that still counts for the life before is not gone by", async () => {
    const { memory, store, granted, budget } = await begun();
    memory.invalidations.change(SECOND);
    expect(await granted(clock("one", 90_000), half("gw-1", 1))).toBe(0);
    expect(await budget()).toMatchObject({ atMs: 1000, frozenUntilMs: 1000 + LEASE_TTL_MS + LEASE_GRACE_MS });
    await raisedTo(store, 1000 + LEASE_TTL_MS + LEASE_GRACE_MS - 1);
    expect(await granted(clock("one", 90_000), half("gw-2", 1))).toBe(0);
  });
});
