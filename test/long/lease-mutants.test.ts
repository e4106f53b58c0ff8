// Every rule of leases taken out: the simulation of leases finds what goes wrong without it, some of them only after many runs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../scripts/project-root.js";
import { seedsOf } from "../sim/leases/faults/lease-profile.js";
import { judgedByLeases } from "../sim/mutants/judge-leases.js";
import { RULES_OF_LEASES } from "../sim/mutants/lease-mutations.js";

/** Of the seeds that have its aim. That only the answer to the last ask counts has taken 39. */
const RUNS = 150;

const read = (file: string): string => readFileSync(join(projectRoot, file), "utf8");

it.each(RULES_OF_LEASES)("many runs of leases find what goes wrong without: $rule", async (mutation) => {
  const found = await judgedByLeases(mutation, seedsOf(mutation.aim, RUNS), read);
  expect(found).toEqual([expect.any(String), expect.any(String)]);
});
