// What the log says of a store that cannot be written, and when the process ends for it.
import { expect, it } from "vitest";

import { StoreUnwritable } from "../../../src/app/ports/store-health.js";
import { logStoreFailure, startStoreKeeping } from "../../../src/app/upkeep/store-keeping.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { ManualTimers } from "../../support/manual-timers.js";

function kept() {
  const timers = new ManualTimers(new FixedClock());
  const lines: string[] = [];
  const state = { why: undefined as string | undefined, found: "on" as "on" | "over", ended: 0 };
  const say = ({ event }: { event?: string }): void => void lines.push(event ?? "");
  const logger = { debug: say, info: say, warn: say, error: say };
  const health = { unwritable: () => state.why, look: () => state.found };
  const stop = startStoreKeeping({ health, timers, logger, over: () => (state.ended += 1) });
  const seconds = (count: number): void => {
    for (let i = 0; i < count; i++) timers.advance(1000);
  };
  return { state, lines, seconds, stop, timers };
}

it("an outage of the store is said once when it begins and once when it ends, not each second", () => {
  const { state, lines, seconds, stop, timers } = kept();
  seconds(3);
  expect(lines).toEqual([]);
  state.why = "the disk is full";
  seconds(10);
  expect(lines).toEqual(["store-unwritable"]);
  state.why = undefined;
  seconds(10);
  expect(lines).toEqual(["store-unwritable", "store-writable"]);
  stop();
  expect(timers.pending).toBe(0);
});

it("a process whose store is over says so and ends", () => {
  const { state, lines, seconds, stop } = kept();
  [state.why, state.found] = ["LMDB has given up", "over"];
  seconds(1);
  expect([lines, state.ended]).toEqual([["store-unwritable", "store-over"], 1]);
  stop();
});

it("work beside the calls is silent of an outage that was said, and loud of other failures", () => {
  const lines: string[] = [];
  const logger = { debug: () => void lines.push("debug"), error: () => void lines.push("error") };
  logStoreFailure(logger, new StoreUnwritable("the disk is full"), { event: "a" }, "failed");
  logStoreFailure(logger, new Error("another"), { event: "a" }, "failed");
  expect(lines).toEqual(["debug", "error"]);
});
