// A step of the start that the store does not take: what is waited for, what is said of it, and what ends the start.
import { expect, it } from "vitest";

import { StoreFailure } from "../../src/app/policy/policy-steps.js";
import { StoreUnwritable } from "../../src/app/ports/store-health.js";
import { onceStoreTakes } from "../../src/start-patience.js";
import { FixedClock } from "../support/fixed-clock.js";
import { ManualTimers } from "../support/manual-timers.js";
import { settled } from "../support/watching.js";

function start() {
  const said: string[] = [];
  const timers = new ManualTimers(new FixedClock(0));
  const readiness = { startsWith: (step: string) => void said.push(step) };
  return { said, timers, patience: { readiness, timers } };
}

it("a step that the store turns away is tried each second, and what it waits for is said", async () => {
  const { said, timers, patience } = start();
  const refusal = new StoreUnwritable("it is full");
  const answers: (() => Promise<string>)[] = [
    () => Promise.reject(refusal),
    () => Promise.reject(new StoreFailure("the store failed", { cause: refusal })),
    () => Promise.resolve("done"),
  ];
  let tries = 0;
  const done = onceStoreTakes(patience, "the policy is being read", () => {
    tries += 1;
    return answers.shift()?.() ?? Promise.reject(new Error("once too often"));
  });
  for (const second of [1, 2]) {
    await settled();
    expect(tries).toBe(second);
    timers.advance(1000);
  }
  expect(await done).toBe("done");
  const why = "the policy is being read: it is full";
  expect(said).toEqual(["the policy is being read", why, why]);
});

it("a step that fails for another reason ends the start at once", async () => {
  const { timers, patience } = start();
  const failures = [new Error("a mistake"), new StoreFailure("a mistake", { cause: new Error("of the program") })];
  for (const failure of failures)
    await expect(onceStoreTakes(patience, "a step", () => Promise.reject(failure))).rejects.toBe(failure);
  expect(timers.pending).toBe(0);
});
