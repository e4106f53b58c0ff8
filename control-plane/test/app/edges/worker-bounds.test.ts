// Workers that a caller makes up: how many are remembered, and who is forgotten for them.
import { expect, it } from "vitest";

import { EdgeRegistry } from "../../../src/app/edges/status/edge-registry.js";
import { MAX_WORKERS_IN_ALL } from "../../../src/app/edges/status/workers-in-all.js";
import { FixedClock } from "../../support/fixed-clock.js";
import { PoliciesInForce } from "../../support/policies-in-force.js";
import { POLICY } from "../../support/watching.js";

const WORKERS = 128;
const GRACE_MS = 20_000;

const instanceOf = (i: number) => ({ edge: `gw-${i}`, instance: "0".repeat(16) });

function registry() {
  const clock = new FixedClock();
  const instances = new EdgeRegistry({ clock, policies: new PoliciesInForce(clock, POLICY) });
  const reports = (i: number, worker: string): void => {
    const said = { worker, more: false, arrivedAtMs: clock.monotonicMs(), build: undefined, policy: undefined };
    instances.reported(instanceOf(i), said);
  };
  return { clock, instances, reports };
}

it("made-up workers are bounded in all, and an instance that reports on keeps its own", () => {
  const { instances, reports } = registry();
  const honest = 100_000;
  for (let i = 0; i < MAX_WORKERS_IN_ALL / WORKERS + 50; i++) {
    for (let worker = 0; worker < WORKERS; worker++) reports(i, `made-up-${worker}`);
    reports(honest, `worker-${i % 64}`);
    expect(instances.workerCount()).toBeLessThanOrEqual(MAX_WORKERS_IN_ALL);
  }
  expect(instances.workerCount()).toBeGreaterThan(MAX_WORKERS_IN_ALL - 2 * WORKERS);
  // An Envoy that is forgotten would count as gone, and what it holds could end as idle.
  expect(instances.status(instanceOf(0), GRACE_MS)).toBe("behind");
  expect(instances.knownOf("gw-0", GRACE_MS)[0]?.workers.size).toBe(0);
  expect(instances.status(instanceOf(honest), GRACE_MS)).toBe("current");
  expect(instances.knownOf(`gw-${honest}`, GRACE_MS)[0]?.workers.size).toBe(64);
});

it("the workers of an instance that is forgotten make room for others", () => {
  const { clock, instances, reports } = registry();
  for (let worker = 0; worker < WORKERS; worker++) reports(1, `worker-${worker}`);
  for (let worker = 0; worker < WORKERS + 5; worker++) reports(2, `worker-${worker}`);
  expect(instances.workerCount()).toBe(2 * WORKERS);
  clock.advance(600_000);
  instances.forgetGone();
  expect(instances.workerCount()).toBe(0);
});
