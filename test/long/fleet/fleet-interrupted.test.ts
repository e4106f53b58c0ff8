// Ctrl-C on npm run fleet, at whatever moment.
import { expect, it } from "vitest";

import { FleetProcess, useFleetProgram } from "./fleet-process.js";

useFleetProgram();

it("Ctrl-C ends a run, every process of it, and shows what was admitted until then", async () => {
  const run = new FleetProcess("--seconds", "300", "--scope", "edge");
  await run.says(/^fleet: +2 s: /m);
  // The store, two control planes, their balancer and three Envoys; and the program itself.
  expect(run.processes()).toHaveLength(8);
  run.interrupt();
  await run.exitCode();
  expect(run.said).toMatch(/^fleet: total of \d s: admitted [1-9]/m);
  await run.nothingIsLeft();
});

it("Ctrl-C ends a stopped Envoy too", async () => {
  const run = new FleetProcess("--seconds", "8", "--scope", "edge", "--fault", "envoy-stop");
  await run.says(/^fleet: now an Envoy is stopped/m);
  run.interrupt();
  await run.exitCode();
  await run.nothingIsLeft();
});

it("Ctrl-C ends what is being brought up", async () => {
  const run = new FleetProcess("--seconds", "300");
  await run.says(/^fleet: starting 3 Envoys/m);
  run.interrupt();
  expect(await run.exitCode()).toBe(0);
  await run.nothingIsLeft();
});
