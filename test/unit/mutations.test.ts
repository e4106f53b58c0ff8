// `npm run sim:mutants` takes rules out of the sources by their text: the text of each stands in the file that is named.
import { expect, it } from "vitest";
import { MUTATIONS } from "../sim/mutants/mutations.js";
import { textOf } from "./docs.js";

it("each mutation of the simulation finds the text that it replaces", () => {
  const missing = MUTATIONS.flatMap(({ rule, replacements }) =>
    replacements.filter(({ file, find }) => !textOf(file).includes(find)).map(({ file }) => `${rule}: ${file}`),
  );
  expect(missing).toEqual([]);
});
