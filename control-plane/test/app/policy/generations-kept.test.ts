// Which generations of the policy can still be read back after many changes.
import { expect, it } from "vitest";

import { GENERATIONS_KEPT, keepGenerations } from "../../../src/app/policy/generations-kept.js";
import { MemoryPolicies } from "../../../src/store/memory/policies.js";
import { decision } from "../../contracts/policy-contract.js";

function keptPolicies(running: ReadonlySet<number>) {
  const listeners = new Set<() => void>();
  const store = new MemoryPolicies(() => ({ log: "log-of-a-test", cursor: 0 }));
  const policies = {
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const logger = { debug: note, info: note, warn: note, error: note };
  const stop = keepGenerations({ policies, store, running: () => running, logger });
  const decide = async (generation: number): Promise<void> => {
    await store.savePolicy(decision(generation), generation - 1);
    for (const listener of listeners) listener();
  };
  return { store, stop, decide, logged };
}

it("the newest generations and those that an edge still runs can be read back, no others", async () => {
  const { store, stop, decide } = keptPolicies(new Set([3]));
  const newest = GENERATIONS_KEPT + 5;
  for (let at = 1; at <= newest; at++) await decide(at);
  await stop();
  const kept: number[] = [];
  for (let at = 1; at <= newest; at++) if ((await store.policy(at)) !== undefined) kept.push(at);
  expect(kept).toEqual([3, ...Array.from({ length: GENERATIONS_KEPT }, (_, i) => 6 + i)]);
});

it("a store that fails to remove old generations is logged, and the next change tries again", async () => {
  const { store, stop, decide, logged } = keptPolicies(new Set());
  const forget = store.forgetPolicies.bind(store);
  store.forgetPolicies = () => Promise.reject(new Error("no space left"));
  for (let at = 1; at <= GENERATIONS_KEPT + 1; at++) await decide(at);
  await new Promise((resolve) => setImmediate(resolve));
  expect(logged.at(-1)).toMatchObject({ event: "policy-retention-failed" });
  store.forgetPolicies = forget;
  await decide(GENERATIONS_KEPT + 2);
  await stop();
  expect(await store.policy(2)).toBeUndefined();
  expect(await store.policy(3)).toBeDefined();
});
