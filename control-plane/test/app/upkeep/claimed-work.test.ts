// Work that one control plane does at a time: who has it does it, and where that one dies another goes on.
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";

import type { ClaimedKind, ClaimOutcome } from "../../../src/app/ports/claim-ports.js";
import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { CLAIM_MS } from "../../../src/app/upkeep/claimed-work.js";
import { startLogKeeping } from "../../../src/app/upkeep/log-retention.js";
import { startRetention } from "../../../src/app/upkeep/retention.js";
import { startSweeping } from "../../../src/app/upkeep/sweep-schedule.js";
import { MemoryClaims } from "../../../src/store/memory/claims.js";
import { claimedWork } from "../../support/claimed.js";
import { startTestControlPlane } from "../../support/control-plane.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { HOUR_MS, sessionAt } from "../../support/sessions.js";
import { temporaryStore } from "../../support/temporary-store.js";

const MINUTE_MS = 60_000;

/** One of two processes. */
function process(claims = new MemoryClaims()) {
  const clock = new FixedClock();
  const counted: [ClaimedKind, ClaimOutcome][] = [];
  const logged: string[] = [];
  const note = ({ event }: { readonly event: string }): void => void logged.push(event);
  const logger = { debug: note, info: note, warn: note, error: note };
  const meter = { claimed: (...one: [ClaimedKind, ClaimOutcome]) => void counted.push(one) };
  return { claims, clock, counted, logged, claimed: claimedWork(claims, { clock, logger, meter }) };
}

/** Both know the time; the store's is the same. */
function pass(ms: number, { claims, clock }: ReturnType<typeof process>): void {
  clock.advance(ms);
  claims.pass(ms);
}

describe("work under a claim", () => {
  it("work that another process is at is not begun, and is once that one has ended", async () => {
    const first = process();
    const other = process(first.claims.another());
    const work = vi.fn(() => Promise.resolve());
    await first.claimed.run("sweep", async () => {
      expect(await other.claimed.run("sweep", work)).toBe(false);
      expect(await other.claimed.run("retention", work)).toBe(true);
    });
    expect(await other.claimed.run("sweep", work)).toBe(true);
    expect(work).toHaveBeenCalledTimes(2);
    expect(other.counted).toEqual([
      ["sweep", "elsewhere"],
      ["retention", "taken"],
      ["sweep", "taken"],
    ]);
  });

  it("work goes on for as long as its claim is renewed between its steps", async () => {
    const one = process();
    const other = one.claims.another();
    await one.claimed.run("sweep", async (lost) => {
      for (let step = 0; step < 50; step++) {
        pass(1000, one);
        expect(await lost()).toBe(false);
        expect(await other.take("sweep", CLAIM_MS)).toBe(false);
      }
    });
  });

  it("work stops where another process took it up while a step hung", async () => {
    const one = process();
    const other = one.claims.another();
    await one.claimed.run("sweep", async (lost) => {
      pass(CLAIM_MS, one);
      expect(await other.take("sweep", CLAIM_MS)).toBe(true);
      expect(await lost()).toBe(true);
    });
    expect(one.logged).toContain("claim-lost");
    expect(await other.take("sweep", CLAIM_MS)).toBe(true);
    expect(await one.claims.take("sweep", CLAIM_MS)).toBe(false);
  });

  it("a claim of a process that died lapses within 30 s", async () => {
    const one = process();
    const dead = one.claims.another();
    void process(dead).claimed.run("sweep", () => new Promise(() => undefined));
    await nextTurn();
    expect(await one.claimed.run("sweep", () => Promise.resolve())).toBe(false);
    pass(30_000, one);
    expect(await one.claimed.run("sweep", () => Promise.resolve())).toBe(true);
  });

  it("work is not begun where the store cannot say who has it", async () => {
    const one = process();
    const work = vi.fn(() => Promise.resolve());
    vi.spyOn(one.claims, "take").mockRejectedValue(new StoreUnwritable("the store is away"));
    expect(await one.claimed.run("sweep", work)).toBe(false);
    expect([work.mock.calls, one.counted]).toEqual([[], [["sweep", "unknown"]]]);
  });

  it("work that fails gives its claim back, and one that cannot be given back fails nothing", async () => {
    const one = process();
    const failing = (): Promise<void> => Promise.reject(new Error("page 17 is torn"));
    await expect(one.claimed.run("sweep", failing)).rejects.toThrow("page 17 is torn");
    expect(await one.claims.another().take("sweep", CLAIM_MS)).toBe(true);
    vi.spyOn(one.claims, "release").mockRejectedValue(new StoreUnwritable("the store is away"));
    expect(await one.claimed.run("retention", () => Promise.resolve())).toBe(true);
    expect(one.logged).toContain("claim-failed");
  });
});

describe("what happens by itself in two control planes", () => {
  it("a sweep that another control plane is at is left to it, and made once that is over", async () => {
    const plane = await startTestControlPlane();
    const [one, timers] = [process(), new ManualTimers(plane.clock)];
    const other = one.claims.another();
    const old = sessionAt(plane.clock.nowMs() - 2 * HOUR_MS);
    await plane.store.create(old);
    const forgetGone = vi.spyOn(plane.ports.instances, "forgetGone");
    await other.take("sweep", HOUR_MS);
    const stop = startSweeping(plane.ports, one.claimed, timers);
    timers.advance(MINUTE_MS);
    await expect.poll(() => timers.pending).toBe(1);
    expect(await plane.store.find(old.id)).toBeDefined();
    expect(forgetGone).toHaveBeenCalledTimes(1);
    await other.release("sweep");
    timers.advance(MINUTE_MS);
    await expect.poll(() => timers.pending).toBe(1);
    expect(await plane.store.find(old.id)).toBeUndefined();
    await stop();
  });

  it("a sweep stops between two steps when another control plane has taken it up", async () => {
    const plane = await startTestControlPlane();
    const [one, timers] = [process(), new ManualTimers(plane.clock)];
    const many = Array.from({ length: 90 }, (_, i) => sessionAt(plane.clock.nowMs() - 2 * HOUR_MS + i));
    for (const session of many) await plane.store.create(session);
    const update = plane.ports.store.update.bind(plane.ports.store);
    const spy = vi.spyOn(plane.ports.store, "update").mockImplementation(async (...asked) => {
      pass(CLAIM_MS, one);
      await one.claims.another().take("sweep", HOUR_MS);
      return update(...asked);
    });
    const stop = startSweeping(plane.ports, one.claimed, timers);
    timers.advance(MINUTE_MS);
    await expect.poll(() => timers.pending).toBe(1);
    expect(spy.mock.calls.map(([kind]) => kind)).toEqual(["byCreation"]);
    await stop();
  });

  it("retention that another control plane is at is left to it", async () => {
    const store = await temporaryStore();
    const old = sessionAt(0);
    await store.create(old);
    const one = process();
    await one.claims.another().take("retention", HOUR_MS);
    const { operator, audit } = store;
    const retention = { metadataMs: 1, audit: { maxEntries: 1, maxAgeMs: 1 } };
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const parts = { store, operator, audit, retention, claimed: one.claimed, clock: one.clock, logger };
    const stop = startRetention(parts);
    await expect.poll(() => one.counted).toEqual([["retention", "elsewhere"]]);
    await stop();
    expect((await store.find(old.id))?.metadata.ip).toBe("192.0.2.1");
  });

  it("the log is trimmed by one control plane at a time", async () => {
    const store = await temporaryStore();
    const one = process();
    const other = one.claims.another();
    await other.take("log-retention", HOUR_MS);
    const trim = vi.spyOn(store.invalidations, "trim");
    const timers = new ManualTimers(one.clock);
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const { invalidations: log, revocations } = store;
    const kept = { maxEntries: 1, maxAgeMs: 1 };
    const stop = startLogKeeping({ log, revocations, kept, claimed: one.claimed, clock: one.clock, timers, logger });
    await expect.poll(() => timers.pending).toBe(1);
    expect(trim).not.toHaveBeenCalled();
    await other.release("log-retention");
    timers.advance(MINUTE_MS);
    await expect.poll(() => timers.pending).toBe(1);
    expect(trim).toHaveBeenCalledTimes(1);
    await stop();
  });
});
