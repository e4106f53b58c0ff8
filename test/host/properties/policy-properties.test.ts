// Random policies, written as YAML, validated, published, and taken by the built filter from its watch: it does with each
// request what a plain reading of the policy does. More of them in test/long.
import { expect, it } from "vitest";
import { PolicyProperty } from "./property.js";

const POLICIES = 60;

it("a random policy means for each request what a plain reading of it does", async () => {
  const property = await PolicyProperty.prepared();
  for (let seed = 1; seed <= POLICIES; seed++) expect(await property.run(seed)).toBe("");
  const denials = ["budget", "invalid", "limited", "missing", "unavailable"];
  const passed = ["allowed", "exempt", "off", ...denials].map((outcome) => `${outcome}, passes`);
  const settlements = ["settled", "no_value", "invalid"].map((outcome) => `settlement: ${outcome}`);
  expect(new Set(property.tally.keys())).toEqual(new Set([...denials, ...passed, ...settlements]));
}, 300_000);
