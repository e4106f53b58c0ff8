// The clock of leases: it counts only while control planes run, and those that share a store have one.
import { describe, expect, it } from "vitest";

import type { FleetReading } from "../../../src/app/ports/fleet-time.js";
import { FleetClock } from "../../../src/app/upkeep/fleet-clock.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";

const HOUR_MS = 3_600_000;

/** A store that keeps the time, and what a test does to it. */
function fleetStore(ms = 0) {
  const store = { log: "one", ms, isAway: false };
  const asked = async (): Promise<FleetReading> => {
    await Promise.resolve();
    if (store.isAway) throw new Error("no route to the store");
    return { log: store.log, ms: store.ms };
  };
  const time = {
    read: asked,
    raise: async ({ log, ms: toMs }: FleetReading) => {
      await asked();
      if (log === store.log) store.ms = Math.max(store.ms, toMs);
      return { log: store.log, ms: store.ms };
    },
  };
  return { store, time };
}

function process(isShared: boolean, machine = new FixedClock(7000)) {
  const timers = new ManualTimers(machine);
  const clock = new FleetClock({ machine, isShared, name: "p" });
  const pass = async (ms: number): Promise<void> => {
    for (let gone = 0; gone < ms; gone += 50) {
      timers.advance(Math.min(50, ms - gone));
      for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    }
  };
  return { machine, timers, clock, pass };
}

describe("the clock of leases", () => {
  it("the fleet clock goes on where the store has it, by the time that passes here", async () => {
    const { time } = fleetStore(90_000);
    const { machine, clock } = process(false);
    expect(clock.now()?.ms).toBeUndefined();
    await clock.begin(time);
    expect(clock.now()?.ms).toBe(90_000);
    machine.advance(1234.9);
    machine.step(HOUR_MS);
    expect(clock.now()?.ms).toBe(91_234);
  });

  it("time in which no control plane ran does not count", async () => {
    const { store, time } = fleetStore();
    const first = process(false);
    await first.clock.begin(time);
    const stop = first.clock.follow(time, first.timers);
    await first.pass(2500);
    expect(store.ms).toBe(2000);
    await stop();
    expect(store.ms).toBe(2500);
    expect(first.timers.pending).toBe(0);
    const second = process(false, new FixedClock(HOUR_MS));
    await second.clock.begin(time);
    expect(second.clock.now()?.ms).toBe(2500);
  });

  it("a budget that is ahead takes the fleet clock along, one behind does not set it back", async () => {
    const { time } = fleetStore(1000);
    const { clock, machine } = process(false);
    clock.see("one", 9000);
    await clock.begin(time);
    clock.see("one", 1800);
    machine.advance(10);
    clock.see("one", 500);
    expect(clock.now()?.ms).toBe(1810);
  });

  it("control planes of one store differ by at most 250 ms, however long one was cut off", async () => {
    const machine = new FixedClock();
    const { store, time } = fleetStore();
    const cut = { ...fleetStore(), ...process(true, machine) };
    const toStore = {
      read: time.read,
      raise: (to: FleetReading) => (cut.store.isAway ? cut.time.raise(to) : time.raise(to)),
    };
    await cut.clock.begin(toStore);
    cut.clock.follow(toStore, cut.timers);
    await cut.pass(1000);
    expect(cut.clock.now()?.ms).toBe(1000);
    cut.store.isAway = true;
    await cut.pass(10_000);
    const late = process(true, machine);
    await late.clock.begin(time);
    expect(store.ms).toBe(1000);
    expect((cut.clock.now()?.ms ?? NaN) - (late.clock.now()?.ms ?? NaN)).toBe(200);
    // What it stood is not made up for.
    cut.store.isAway = false;
    await cut.pass(100);
    expect(cut.clock.now()?.ms).toBeLessThanOrEqual(1300);
  });

  it("a control plane that was cut off hears from the store how late it is", async () => {
    const { store, time } = fleetStore();
    const { clock, timers, pass } = process(true);
    await clock.begin(time);
    clock.follow(time, timers);
    store.isAway = true;
    await pass(3000);
    expect(clock.now()?.ms).toBe(200);
    store.isAway = false;
    store.ms = 2900;
    await pass(100);
    expect(clock.now()?.ms).toBe(2900);
  });

  it("the clock goes on from what another life of the store has, also where that is less", async () => {
    const { store, time } = fleetStore();
    const { clock, timers, pass } = process(true);
    await clock.begin(time);
    clock.follow(time, timers);
    await pass(1000);
    expect(clock.now()).toMatchObject({ log: "one", ms: 1000 });
    Object.assign(store, { log: "two", ms: 300 });
    // Times of another life say nothing in this one, nor this one's there.
    clock.see("two", 5000);
    expect(clock.now()).toMatchObject({ log: "one", ms: 1000 });
    await pass(100);
    expect(store.ms).toBe(300);
    expect(clock.now()).toMatchObject({ log: "two", ms: 300 });
    clock.see("one", 5000);
    await pass(250);
    expect(clock.now()).toMatchObject({ log: "two", ms: 550 });
  });

  it("a clock that was set forward is another one: it fills nothing that it found full before", async () => {
    const { store, time } = fleetStore(1000);
    const { clock, timers, pass } = process(true);
    await clock.begin(time);
    clock.follow(time, timers);
    const by = (): string | undefined => clock.now()?.by;
    const before = by();
    await pass(1000);
    clock.see("one", 1500);
    expect(by()).toBe(before);
    clock.see("one", 2100);
    const seen = by();
    expect(seen).not.toBe(before);
    store.ms = 9000;
    await pass(100);
    expect([before, seen]).not.toContain(by());
  });

  it("a clock learns from what another wrote by how much it is ahead at most", async () => {
    const { store, time } = fleetStore(1000);
    const { clock, timers, pass, machine } = process(true);
    await clock.begin(time);
    const slow = {
      ...time,
      raise: async (to: FleetReading) => {
        machine.advance(5);
        return time.raise(to);
      },
    };
    clock.follow(slow, timers);
    // Tells 1100, done at 1105, and 1205, done at 1210.
    await pass(200);
    const lead = (): number | undefined => clock.now()?.leads.get("q.0");
    clock.learn("one", "q.0", { atMs: 1030, heardMs: 1205, freeMs: 0 });
    clock.learn("two", "q.0", { atMs: 1030, heardMs: 1000, freeMs: 0 });
    clock.learn("one", "", { atMs: 1030, heardMs: 1000, freeMs: 0 });
    expect(clock.now()?.leads).toStrictEqual(new Map());
    clock.learn("one", "q.0", { atMs: 1030, heardMs: 1000, freeMs: 0 });
    expect(lead()).toBe(75);
    clock.learn("one", "q.0", { atMs: 1030, heardMs: 1100, freeMs: 0 });
    expect(lead()).toBe(75);
    clock.learn("one", "q.0", { atMs: 1180, heardMs: 1100, freeMs: 0 });
    expect(lead()).toBe(30);
    clock.learn("one", "q.0", { atMs: 1180, heardMs: 1000, freeMs: 0 });
    expect(lead()).toBe(0);
    // Set forward it is another clock, of which nothing is known.
    store.ms = 5000;
    await pass(100);
    clock.learn("one", "q.0", { atMs: 1180, heardMs: 1000, freeMs: 0 });
    expect(lead()).toBeUndefined();
  });

  it("a clock that stood is another one, no more ahead of others, and not at all of what it was", async () => {
    const { store, time } = fleetStore();
    const { clock, timers, pass } = process(true);
    await clock.begin(time);
    clock.follow(time, timers);
    await pass(200);
    clock.learn("one", "q.0", { atMs: 80, heardMs: 0, freeMs: 0 });
    const before = clock.now()?.by ?? "";
    store.isAway = true;
    await pass(1000);
    expect(clock.now()?.by).not.toBe(before);
    expect(clock.now()?.leads.get(before)).toBe(0);
    expect(clock.now()?.leads.get("q.0")).toBe(20);
  });

  it("a process that stood for 10 s is no more ahead by it than any other", async () => {
    const { store, time } = fleetStore();
    const { clock, machine } = process(true);
    await clock.begin(time);
    // Its monotonic clock went on, and it told nobody.
    machine.advance(10_000);
    expect(clock.now()?.ms).toBe(200);
    expect(store.ms).toBe(0);
  });

  it("a store of one control plane is told each second, and its silence stops no clock", async () => {
    const { store, time } = fleetStore();
    const { clock, timers, pass } = process(false);
    await clock.begin(time);
    clock.follow(time, timers);
    await pass(950);
    expect(store.ms).toBe(0);
    await pass(50);
    expect(store.ms).toBe(1000);
    store.isAway = true;
    await pass(4000);
    expect(clock.now()?.ms).toBe(5000);
  });
});
