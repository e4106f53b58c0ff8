// Counts how often a module enters AssemblyScript's allocator: a counter in front of each of its functions, put there
// by Binaryen. It finds them by name, so it needs a debug build.
import binaryen from "assemblyscript/binaryen";

/** tlsf allocates and moves blocks; itcms, tcms and stub are what the compiler calls for a managed object. */
const ALLOCATOR = /^~lib\/rt\/(tlsf|itcms|tcms|stub)\/(__alloc|__realloc|__new|__renew|allocateBlock|reallocateBlock)$/;
export const COUNTER = "allocations";

export interface CountingModule {
  readonly wasm: Uint8Array;
  /** The functions that count. */
  readonly counted: readonly string[];
}

/** The module with an exported global, COUNTER, that grows by 1 with each entry of an allocator's function. */
export function countingAllocations(debugWasm: Uint8Array): CountingModule {
  const module = binaryen.readBinary(debugWasm);
  module.setFeatures(binaryen.Features.All);
  module.addGlobal(COUNTER, binaryen.i32, true, module.i32.const(0));
  module.addGlobalExport(COUNTER, COUNTER);
  const names = Array.from({ length: module.getNumFunctions() }, (_, index) => {
    return binaryen.getFunctionInfo(module.getFunctionByIndex(index)).name;
  });
  const counted = names.filter((name) => ALLOCATOR.test(name));
  for (const name of counted) {
    const { params, results, vars, body } = binaryen.getFunctionInfo(module.getFunction(name));
    const more = module.i32.add(module.global.get(COUNTER, binaryen.i32), module.i32.const(1));
    const countingBody = module.block(null, [module.global.set(COUNTER, more), body], results);
    module.removeFunction(name);
    module.addFunction(name, params, results, vars, countingBody);
  }
  const wasm = module.emitBinary();
  module.dispose();
  return { wasm, counted };
}
