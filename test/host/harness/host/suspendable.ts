// Makes a module able to stop at a host call and go on later: Binaryen's asyncify pass, which comes with asc. One
// thread then holds several VMs in the middle of a request each, and a seeded scheduler interleaves them.
import binaryen from "assemblyscript/binaryen";
import { STOPPING_CALLS } from "./host-imports.js";

export function suspendable(wasm: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(wasm);
  const imports = STOPPING_CALLS.flatMap((name) => [`env.${name}`, `wasi_snapshot_preview1.${name}`]);
  module.setFeatures(binaryen.Features.All);
  binaryen.setPassArgument("asyncify-imports", imports.join(","));
  binaryen.setOptimizeLevel(1);
  module.runPasses(["asyncify"]);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}
