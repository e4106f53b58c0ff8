// How long a policy takes to be run, as the metrics show it: from the decision to each worker's report.
import { expect, it } from "vitest";

import { INSTANCE, startTestControlPlane } from "../../support/control-plane.js";
import type { TestControlPlane } from "../../support/control-plane.js";
import { METERED, STARTER } from "../../support/sessions.js";

const WORKERS = ["a".repeat(16), "b".repeat(16)];

async function runs(plane: TestControlPlane, worker: string): Promise<void> {
  const { generation = 0, hash } = plane.policies.published("gw-1") ?? {};
  const policy = { source: "control-plane", generation, hash };
  expect((await plane.report([], { worker, instance: INSTANCE, policy })).status).toBe(200);
}

async function measured(plane: TestControlPlane): Promise<(string | undefined)[]> {
  const { text } = await plane.status("/metrics");
  return ["sum", "count"].map(
    (part) => new RegExp(`^sluice_control_policy_propagation_seconds_${part} (.*)$`, "m").exec(text)?.[1],
  );
}

it("a policy's propagation is measured once for each worker that was there at its decision", async () => {
  const plane = await startTestControlPlane();
  for (const worker of WORKERS) await runs(plane, worker);
  plane.clock.advance(1000);
  plane.setPlans(STARTER);
  plane.clock.advance(100);
  await runs(plane, WORKERS[0] ?? "");
  plane.clock.advance(200);
  for (const worker of [...WORKERS, "c".repeat(16)]) await runs(plane, worker);
  expect(await measured(plane)).toEqual(["0.4", "2"]);
});

it("a worker that still reports its former policy is not measured until it runs the new one", async () => {
  const plane = await startTestControlPlane();
  const before = plane.policies.published("gw-1");
  await runs(plane, WORKERS[0] ?? "");
  plane.clock.advance(1000);
  plane.setPlans(STARTER, METERED);
  const policy = { source: "control-plane", generation: 1, hash: before?.hash };
  await plane.report([], { worker: WORKERS[0], policy });
  expect((await measured(plane))[1]).toBe("0");
  plane.clock.advance(50);
  await runs(plane, WORKERS[0] ?? "");
  expect(await measured(plane)).toEqual(["0.05", "1"]);
});
