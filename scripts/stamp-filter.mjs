// Writes into each filter module which build it is: the first 8 bytes of SHA-256 over the module. So the same sources
// give the same module, and another build never takes this one's result for a policy as its own
// (assembly/filter/vm/build-id.ts). Plain JavaScript: it is part of the build.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const MARK = Buffer.from("sluice-build-id:");
const ID_BYTES = 8;

for (const file of process.argv.slice(2)) {
  const module = readFileSync(file);
  const mark = module.indexOf(MARK);
  if (mark < 0 || module.indexOf(MARK, mark + 1) >= 0) {
    console.error(`${file}: expected one build mark "${MARK.toString()}"`);
    process.exit(1);
  }
  const id = module.subarray(mark + MARK.length, mark + MARK.length + ID_BYTES);
  id.fill(0);
  createHash("sha256").update(module).digest().copy(id, 0, 0, ID_BYTES);
  writeFileSync(file, module);
}
