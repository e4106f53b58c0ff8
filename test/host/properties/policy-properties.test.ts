// Random policies, written as YAML, validated, published, and taken by the built filter from its watch: it does with each
// request what a plain reading of the policy does.
import { expect, it } from "vitest";
import { PolicyProperty } from "./property.js";

const FIRST_SEED = Number(process.env["FIRST_SEED"] ?? 1);
const POLICIES = Number(process.env["POLICIES"] ?? 100);

it("a random policy means for each request what a plain reading of it says", async () => {
  const property = await PolicyProperty.prepared();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + POLICIES; seed++) expect(await property.run(seed)).toBe("");
  console.log(property.tally);
}, 600_000);
