// The filter as the simulation runs it: compiled in memory, once a process, from the sources as they are, able to stop at
// its host calls, as two builds that differ in nothing but their ids.
//
// The simulation runs in milliseconds: a report each 100 ms, a run of one or two seconds. The contract's times in seconds
// would hardly ever pass there: no answer would come too late, no record would be idle for long enough to be evicted, no
// try would run into its deadline, no request would wait too long for a policy. So these numbers are replaced in
// contract.ts before it is compiled, and so is the number of acquires that may be out. The code that uses them is that of
// the release.
import { filterWithNumbers, type Numbers } from "../../host/harness/builds/filter-with-numbers.js";
import { suspendable } from "../../host/harness/host/suspendable.js";

const SMALL: Numbers = {
  // As long as the simulation's acquireTimeout: an answer in time is valid, and a timeout is soon followed by room.
  "assembly/contract.ts": { ANSWER_VALID_MS: 60, TRY_DEADLINE_MS: 150, NO_POLICY_HOLD_MS: 400 },
  // So few that sessions queue, and share calls.
  "assembly/filter/edge/calls.ts": { MAX_CALLS: 2 },
};
const BUILD_MARK = "sluice-build-id:";
const BUILD_IDS = ["5eed000000000001", "5eed000000000002"] as const;

/** A build of the filter, by its id: two run in one Envoy while the filter's code is replaced. */
export interface Build {
  readonly id: string;
  readonly module: WebAssembly.Module;
}

export type Builds = readonly [Build, Build];

export async function simulatedFilter(): Promise<Builds> {
  // It compiles in half the time, and behaves the same.
  const wasm = suspendable(await filterWithNumbers("assembly/index.ts", SMALL, { options: ["-O1"] }));
  const [one, other] = BUILD_IDS;
  return [built(wasm, one), built(wasm, other)];
}

function built(wasm: Uint8Array, id: string): Build {
  return { id, module: new WebAssembly.Module(stamped(wasm, id)) };
}

/** As scripts/stamp-filter.mjs does it, with an id of ours. */
function stamped(wasm: Uint8Array, build: string): Uint8Array {
  const copy = Buffer.from(wasm);
  const at = copy.indexOf(BUILD_MARK) + BUILD_MARK.length;
  // The guest reads the id as a little-endian number and writes it as hex.
  copy.writeBigUInt64LE(BigInt(`0x${build}`), at);
  return copy;
}
