// npm run chart: says whether the chart's copies and its golden files are as they must be; with --write it makes them so.
import { describe, Failure } from "../failure.js";
import { findHelm } from "../test/get-helm.js";
import { staleCopies, writeCopies } from "./chart-files.js";
import { staleVariables, writeVariables } from "./extra-variables.js";
import { staleGolden, writeGolden } from "./golden.js";

async function run(args: readonly string[]): Promise<void> {
  if (args.some((arg) => arg !== "--write")) throw new Failure("npm run chart takes nothing, or -- --write.");
  const writes = args.length > 0;
  if (writes) {
    writeCopies();
    writeVariables();
  }
  const found = await findHelm();
  if (!("binary" in found)) throw new Failure(`The chart cannot be rendered: ${found.reason}.`);
  if (writes) await writeGolden(found.binary);
  const stale = [...staleCopies(), ...staleVariables(), ...(await staleGolden(found.binary))];
  if (stale.length > 0) throw new Failure(`Not as the chart makes it: ${stale.join(", ")}. npm run chart -- --write`);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
}
