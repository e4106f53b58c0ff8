// The clock of a shared store as a control plane carries it on: what round trips, settings and silence of the store do to it.
import { describe, expect, it } from "vitest";

import { followStoreTime, SharedClock } from "../../../src/app/upkeep/shared-clock.js";
import { SteadyTime } from "../../../src/app/upkeep/steady-clock.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";

const HOUR_MS = 3_600_000;

/** A store whose time travels to it and back so long, and a machine `aheadMs` ahead of it. */
function clocks(aheadMs: number) {
  const store = new FixedClock();
  const machine = new FixedClock(5000);
  machine.step(store.nowMs() + aheadMs - machine.nowMs());
  const timers = new ManualTimers(machine);
  const lines: object[] = [];
  const note = (fields: object): void => void lines.push(fields);
  const shared = new SharedClock({ machine, logger: { debug: note, info: note, warn: note, error: note } });
  const travel = { thereMs: 0, backMs: 0, isAway: false };
  const both = (ms: number): void => {
    store.advance(ms);
    machine.advance(ms);
  };
  const storeTime = {
    timeMs: () => {
      if (travel.isAway) return Promise.reject(new Error("no route to the store"));
      both(travel.thereMs);
      const ms = store.nowMs();
      both(travel.backMs);
      return Promise.resolve(ms);
    },
  };
  let begun = 0;
  const follow = () => shared.follow(storeTime, timers, () => void (begun += 1));
  const second = async (): Promise<void> => {
    store.advance(1000);
    timers.advance(1000);
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
  };
  const offMs = (): number => shared.nowMs() - store.nowMs();
  return { store, machine, timers, lines, shared, travel, storeTime, follow, second, offMs, begun: () => begun };
}

describe("the time of a shared store", () => {
  it("the machine says what time it is until the store has been asked", () => {
    const { shared, machine, offMs } = clocks(5000);
    expect(offMs()).toBe(5000);
    machine.step(HOUR_MS);
    expect(shared.nowMs()).toBe(machine.nowMs());
    expect(shared.machineAheadMs()).toBe(0);
  });

  it("the answer with the shortest way counts, however long the others were under way", async () => {
    const { shared, travel, storeTime, follow, second, offMs } = clocks(5000);
    travel.backMs = 400;
    await shared.begin(storeTime);
    expect(offMs()).toBe(-200);
    follow();
    travel.backMs = 4;
    await second();
    expect(Math.abs(offMs())).toBeLessThanOrEqual(3);
    travel.thereMs = 900;
    for (let at = 0; at < 5; at++) await second();
    expect(Math.abs(offMs())).toBeLessThanOrEqual(3);
  });

  it("a store that is away leaves the time to the machine's monotonic clock", async () => {
    const { shared, machine, travel, storeTime, follow, second, offMs } = clocks(5000);
    await shared.begin(storeTime);
    follow();
    travel.isAway = true;
    machine.step(-HOUR_MS);
    for (let at = 0; at < 100; at++) await second();
    expect(offMs()).toBe(0);
    travel.isAway = false;
    await second();
    expect(offMs()).toBe(0);
  });

  it("a store that could not be asked at the start is asked each second until it answers", async () => {
    const { shared, travel, storeTime, follow, second, offMs, begun } = clocks(5000);
    travel.isAway = true;
    await shared.begin(storeTime);
    follow();
    await second();
    expect([offMs(), begun()]).toEqual([5000, 0]);
    travel.isAway = false;
    await second();
    await second();
    expect([offMs(), begun()]).toEqual([0, 1]);
  });

  it("after the end of following the store is asked no more", async () => {
    const { shared, timers, storeTime, follow, second } = clocks(0);
    await shared.begin(storeTime);
    const stop = follow();
    await second();
    stop();
    expect(timers.pending).toBe(0);
  });
});

describe("a store that is asked while the control plane starts or stops", () => {
  it("the store's first answer is no jump, however late it comes", async () => {
    const { shared, timers, travel, storeTime, second, offMs, lines } = clocks(5000);
    const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const steady = new SteadyTime({ machine: shared, logger, policies: { current: () => undefined } });
    travel.isAway = true;
    await followStoreTime({ shared, steady, storeTime, timers });
    for (let at = 0; at < 60; at++) await second();
    expect(steady.isSettled()).toBe(true);
    travel.isAway = false;
    await second();
    expect([offMs(), steady.waitingJumpMs(), steady.isSettled()]).toEqual([0, 0, false]);
    expect([steady.jumps, lines.length]).toEqual([{ forward: 0, backward: 0 }, 1]);
  });

  it("an answer that comes after the stop has nothing asked again", async () => {
    const { shared, timers } = clocks(5000);
    let answer = (_ms: number): void => undefined;
    const storeTime = { timeMs: () => new Promise<number>((resolve) => (answer = resolve)) };
    const stop = shared.follow(storeTime, timers, () => undefined);
    timers.advance(1000);
    stop();
    answer(1);
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    expect(timers.pending).toBe(0);
  });
});

describe("a store whose clock is set", () => {
  it("a store's clock set a little ahead is followed at the next asking", async () => {
    const { shared, store, storeTime, follow, second, offMs } = clocks(0);
    await shared.begin(storeTime);
    follow();
    store.step(1500);
    await second();
    expect(offMs()).toBe(0);
  });

  it("time goes slower, and never back, after the store's clock is set a little back", async () => {
    const { shared, store, machine, storeTime, follow, second, offMs } = clocks(0);
    await shared.begin(storeTime);
    follow();
    store.step(-1500);
    let lastMs = shared.nowMs();
    const offs: number[] = [];
    for (let at = 0; at < 5; at++) {
      await second();
      offs.push(offMs());
      expect(shared.nowMs()).toBeGreaterThan(lastMs);
      lastMs = shared.nowMs();
    }
    expect(offs).toEqual([1500, 1000, 500, 0, 0]);
    expect(machine.nowMs() - shared.nowMs()).toBe(1500);
  });

  it("a step back by more than 2 s is passed on at once, to be waited with", async () => {
    const { shared, store, storeTime, follow, second, offMs } = clocks(0);
    await shared.begin(storeTime);
    follow();
    store.step(-HOUR_MS);
    await second();
    expect(offMs()).toBe(0);
  });
});

describe("a machine whose clock differs from the store's", () => {
  it("a machine that is 5 s off is named once in the log, and once when it is right again", async () => {
    const { shared, machine, lines, storeTime, follow, second } = clocks(-5000);
    await shared.begin(storeTime);
    follow();
    await second();
    expect(lines).toEqual([{ event: "store-clock-differs", aheadMs: -5000 }]);
    expect(shared.machineAheadMs()).toBe(-5000);
    machine.step(4200);
    await second();
    expect(lines).toHaveLength(1);
    machine.step(500);
    await second();
    expect(lines.slice(1)).toEqual([{ event: "store-clock-agrees", aheadMs: -300 }]);
  });

  it("a machine that is off by a second is no matter for the log", async () => {
    const { shared, lines, storeTime } = clocks(1000);
    await shared.begin(storeTime);
    expect(lines).toEqual([]);
  });
});
