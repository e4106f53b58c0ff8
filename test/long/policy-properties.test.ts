// More random policies than npm test has time for, from the seed where that ends: the filter does with each request what a
// plain reading of its policy does.
import { expect, it } from "vitest";
import { PolicyProperty } from "../host/properties/property.js";

const FIRST_SEED = 61;
const PORTION = 500;
const PORTIONS = 6;

it.each(Array.from({ length: PORTIONS }, (_, index) => FIRST_SEED + index * PORTION))(
  `${PORTION} more random policies from seed %i mean what a plain reading of them does`,
  async (first) => {
    const property = await PolicyProperty.prepared();
    for (let seed = first; seed < first + PORTION; seed++) expect(await property.run(seed)).toBe("");
  },
);
