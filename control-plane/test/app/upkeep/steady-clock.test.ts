// The clock that everything is decided by: what it makes of a wall clock that jumps.
import { describe, expect, it } from "vitest";

import { SteadyTime } from "../../../src/app/upkeep/steady-clock.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";
import { HOUR_MS, REPORTING, STARTER } from "../../support/sessions.js";

const GRACE_MS = 20_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

/** A clock that has been going for longer than a grace. */
function goingClock({ settled = true } = {}) {
  const machine = new FixedClock();
  const timers = new ManualTimers(machine);
  const lines: Record<string, unknown>[] = [];
  const note = (fields: object): void => void lines.push(fields as Record<string, unknown>);
  const logger = { debug: note, info: note, warn: note, error: note };
  const policies = { current: () => ({ policy: { ...REPORTING, plans: [STARTER] } }) };
  const time = new SteadyTime({ machine, logger, policies });
  time.follow(timers);
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= 1000) timers.advance(Math.min(left, 1000));
  };
  if (settled) pass(GRACE_MS);
  const jump = (ms: number): void => {
    machine.step(ms);
    time.nowMs();
  };
  return { machine, timers, lines, time, pass, jump, events: () => lines.map(({ event }) => event) };
}

describe("a wall clock that jumps while the control plane runs", () => {
  for (const jumpMs of [HOUR_MS, YEAR_MS, -HOUR_MS, -YEAR_MS, 2001]) {
    it(`a jump by ${jumpMs} ms counts once it has lasted for the grace, and not before`, () => {
      const { machine, time, pass } = goingClock();
      const beforeMs = time.nowMs();
      machine.step(jumpMs);
      expect(time.nowMs()).toBe(beforeMs);
      expect(time.isSettled()).toBe(false);
      expect(time.waitingJumpMs()).toBe(jumpMs);
      pass(GRACE_MS - 1);
      expect(time.nowMs()).toBe(beforeMs + GRACE_MS - 1);
      pass(1);
      expect(time.nowMs()).toBe(beforeMs + GRACE_MS + jumpMs);
      expect(time.isSettled()).toBe(true);
      expect(time.waitingJumpMs()).toBe(0);
      machine.step(5000);
      expect(time.waitingJumpMs()).toBe(5000);
    });
  }

  it("a jump that is set right within the grace counts for nothing", () => {
    const { machine, time, pass, events } = goingClock();
    const beforeMs = time.nowMs();
    machine.step(YEAR_MS);
    pass(GRACE_MS - 1000);
    machine.step(-YEAR_MS);
    pass(1000);
    expect(time.nowMs()).toBe(beforeMs + GRACE_MS);
    expect(time.isSettled()).toBe(true);
    expect(events()).toEqual(["clock-jumped", "clock-jump-undone"]);
    expect(time.jumps).toEqual({ forward: 1, backward: 1 });
  });

  it("a second jump begins the grace anew", () => {
    const { machine, time, pass } = goingClock();
    const beforeMs = time.nowMs();
    machine.step(HOUR_MS);
    pass(GRACE_MS - 1000);
    machine.step(HOUR_MS);
    pass(GRACE_MS - 1000);
    expect(time.nowMs()).toBe(beforeMs + 2 * GRACE_MS - 2000);
    pass(2000);
    expect(time.nowMs()).toBe(beforeMs + 2 * GRACE_MS + 2 * HOUR_MS);
  });

  it("a jump is seen within a second, logged as an error and counted, though nobody asks", () => {
    const { machine, time, pass, lines } = goingClock();
    machine.step(-HOUR_MS);
    pass(1000);
    expect(lines).toEqual([{ event: "clock-jumped", jumpMs: -HOUR_MS, graceMs: GRACE_MS }]);
    expect(time.jumps).toEqual({ forward: 0, backward: 1 });
  });

  it("a clock that is set by a little is followed at once", () => {
    const { machine, time, events } = goingClock();
    const beforeMs = time.nowMs();
    machine.step(2000);
    expect(time.nowMs()).toBe(beforeMs + 2000);
    expect([events(), time.isSettled()]).toEqual([[], true]);
  });

  it("a process that was stopped between its two looks at the clocks sees no jump", () => {
    const { machine, time, events } = goingClock();
    let stops = 1;
    const wallMs = machine.nowMs.bind(machine);
    machine.nowMs = () => {
      const ms = wallMs();
      if (stops-- > 0) machine.advance(HOUR_MS);
      return ms;
    };
    time.nowMs();
    expect(events()).toEqual([]);
  });
});

describe("the wall clock at a start", () => {
  it("nothing is removed before the clock has been right for a grace", () => {
    const { time, pass } = goingClock({ settled: false });
    expect(time.isSettled()).toBe(false);
    pass(GRACE_MS - 1);
    expect(time.isSettled()).toBe(false);
    pass(1);
    expect(time.isSettled()).toBe(true);
  });

  it("a clock set right just after the start counts at once; removals wait for a grace more", () => {
    const { machine, time, pass } = goingClock({ settled: false });
    pass(5000);
    machine.step(-YEAR_MS);
    expect(time.nowMs()).toBe(machine.nowMs());
    pass(GRACE_MS - 1);
    expect(time.isSettled()).toBe(false);
    pass(1);
    expect(time.isSettled()).toBe(true);
  });
});

describe("a wall clock that another takes the place of", () => {
  for (const aheadMs of [5000, -5000]) {
    it(`it counts at once as no jump, ${aheadMs} ms off, and removals wait for a grace`, () => {
      const { machine, time, pass, events } = goingClock();
      machine.step(aheadMs);
      time.beginAnew();
      expect([time.nowMs(), time.waitingJumpMs()]).toEqual([machine.nowMs(), 0]);
      expect([time.jumps, events()]).toEqual([{ forward: 0, backward: 0 }, []]);
      pass(GRACE_MS - 1);
      expect(time.isSettled()).toBe(false);
      pass(1);
      expect(time.isSettled()).toBe(true);
    });
  }
});

describe("what was created before a start", () => {
  it("nothing from before a start ends by its clock within the grace; what is newer does", () => {
    const { machine, time, pass } = goingClock({ settled: false });
    const startedMs = machine.nowMs();
    expect(time.endsNotBeforeMs(startedMs - 1)).toBe(startedMs + GRACE_MS);
    expect(time.endsNotBeforeMs(startedMs)).toBe(-Infinity);
    pass(5000);
    machine.step(-YEAR_MS);
    expect(time.endsNotBeforeMs(machine.nowMs() - 1)).toBe(machine.nowMs() + GRACE_MS);
    pass(GRACE_MS);
    expect(time.endsNotBeforeMs(0)).toBe(-Infinity);
  });
});

describe("how long ago a stored time was", () => {
  it("time that passed is told rightly across jumps ahead", () => {
    const { time, pass, jump } = goingClock();
    const first = time.nowMs();
    pass(60_000);
    jump(HOUR_MS);
    pass(GRACE_MS);
    const second = time.nowMs();
    pass(30_000);
    jump(YEAR_MS);
    pass(GRACE_MS);
    expect(time.elapsedMs(first)).toBe(60_000 + 2 * GRACE_MS + 30_000);
    expect(time.elapsedMs(second)).toBe(30_000 + GRACE_MS);
    expect(time.elapsedMs(time.nowMs())).toBe(0);
  });

  it("after a jump back a time seems younger than it is, never older", () => {
    const { time, pass, jump } = goingClock();
    const first = time.nowMs();
    pass(60_000);
    jump(-HOUR_MS);
    pass(GRACE_MS);
    const second = time.nowMs() - 5000;
    pass(30_000);
    expect(time.elapsedMs(first)).toBe(0);
    expect(time.elapsedMs(second)).toBe(35_000);
  });

  it("a clock that jumps all the time makes no time look older than it is", () => {
    const { time, pass, jump } = goingClock();
    const first = time.nowMs();
    for (let jumps = 1; jumps <= 50; jumps++) {
      jump(jumps * HOUR_MS);
      pass(GRACE_MS);
      expect(time.elapsedMs(first)).toBeLessThanOrEqual(jumps * GRACE_MS);
    }
  });
});
