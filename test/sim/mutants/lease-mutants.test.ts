// Some rules of leases, each taken out: the simulation of leases finds what goes wrong without it. All of them, those of the
// filter too: `npm run sim:mutants -- --judge leases`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../../scripts/project-root.js";
import { seedsOf } from "../leases/faults/lease-profile.js";
import { judgedByLeases } from "./judge-leases.js";
import { RULES_OF_LEASES } from "./lease-mutations.js";

/** Each would let in too much; and the seed to begin with: some other one shows it too, should that be another run by now. */
const SOON: readonly (readonly [rule: string, seed: number])[] = [
  ["a session older than the store's life does not begin full", 6],
  ["an ask of a former number changes nothing", 92],
  ["an acquire of a later miss is not given the same once more", 64],
  ["what is granted is taken from the level", 1],
  ["only an answer that was not taken is void", 2],
  ["what is out leaves no room for refill", 1],
];
const RUNS = 40;

const read = (file: string): string => readFileSync(join(projectRoot, file), "utf8");

describe("leases without one of their rules", () => {
  it.each(SOON)(
    "the simulation finds what goes wrong without: %s",
    async (rule, seed) => {
      const mutation = RULES_OF_LEASES.find((one) => one.rule === rule);
      expect(mutation).toBeDefined();
      if (mutation === undefined) return;
      const found = await judgedByLeases(mutation, [seed, ...seedsOf(mutation.aim, RUNS)], read);
      expect(found).toEqual([expect.any(String), expect.any(String)]);
    },
    180_000,
  );

  it("the simulation finds nothing where no rule is taken out", async () => {
    expect(await judgedByLeases({ rule: "none", judge: "leases", replacements: [] }, [1], read)).toBeUndefined();
  }, 180_000);
});
