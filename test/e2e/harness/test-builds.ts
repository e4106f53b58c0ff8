// Builds of the filter that only tests have, as files: from its sources with some text replaced.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { changedFilterBytes, type Replacement } from "../../host/harness/builds/filter-builds.js";

export interface TestBuild {
  readonly replacements: readonly Replacement[];
  readonly id: bigint;
  /** Not given: the full build's. */
  readonly entry?: string;
}

/** Its validator traps at a plan named "trap". */
const TRAP_LINE = "plan.name = name.string(isName, EXPECTED_NAME, plan.name);";
export const TRAPS: TestBuild = {
  replacements: [
    { file: "policy/plans.ts", find: TRAP_LINE, by: `${TRAP_LINE} if (plan.name == "trap") unreachable();` },
  ],
  id: 0x7a9n,
};

/** The one that settles; it traps at a piece of 13 bytes of an answer that is to be settled. */
const BODY_LINE = "if (note.reads != READS_NOTHING) readBody(note, bytes);";
export const TRAPS_AT_13_BYTES: TestBuild = {
  replacements: [
    { file: "request/read-usage.ts", find: BODY_LINE, by: `if (bytes == 13) unreachable(); ${BODY_LINE}` },
  ],
  id: 0x7a13n,
  entry: "assembly/settle.ts",
};

/** As one of before the policy had the field `onMiss`: this protocol, and one field less. */
export const WITHOUT_ON_MISS: TestBuild = {
  replacements: [
    {
      file: "policy/policy-fields.ts",
      find: 'policy.onMiss = fields.optional("onMiss").choice(ON_MISS, policy.onMiss);',
      by: "",
    },
    { file: "policy/policy-fields.ts", find: "  ON_MISS,\n", by: "" },
  ],
  id: 0x01den,
};

/** Resolves with the file, which it makes in `folder`. Compiling takes seconds. */
export async function testBuild({ replacements, id, entry }: TestBuild, folder: string): Promise<string> {
  const file = join(folder, `sluice-${id.toString(16)}.wasm`);
  writeFileSync(file, await changedFilterBytes(replacements, id, entry));
  return file;
}
