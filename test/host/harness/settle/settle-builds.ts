// The builds that settlements are tried with: the one that is deployed, and one with few notes and few tries, where
// requests without a note and settlements that lose all their writes are common.
import { MAX_SETTLE_NOTES } from "../../../../assembly/contract.js";
import { filterWithNumbers } from "../builds/filter-with-numbers.js";
import { suspendableFilterModule } from "../builds/filter-modules.js";
import { suspendable } from "../host/suspendable.js";
import { MAX_TRIES } from "../scenes/contention.js";
import type { SettleBuild } from "./settle-run.js";

const FEW_NOTES = 8;
const FEW_TRIES = 2;

export function deployedBuild(): SettleBuild {
  return { module: suspendableFilterModule("settle"), notes: MAX_SETTLE_NOTES, tries: MAX_TRIES };
}

/** From the sources as they are, but for the files that have another text. */
export async function smallBuild(changed: ReadonlyMap<string, string> = new Map()): Promise<SettleBuild> {
  const numbers = {
    "assembly/contract.ts": { MAX_SETTLE_NOTES: FEW_NOTES },
    "assembly/filter/table/session-table.ts": { MAX_CAS_TRIES: FEW_TRIES },
  };
  // It compiles in half the time, and behaves the same.
  const wasm = await filterWithNumbers("assembly/settle.ts", numbers, { changed, options: ["-O1"] });
  return { module: new WebAssembly.Module(suspendable(wasm)), notes: FEW_NOTES, tries: FEW_TRIES };
}
