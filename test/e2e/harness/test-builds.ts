// Builds of the filter that only tests have, as files: from its sources with some text replaced.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { changedFilterBytes, type Replacement } from "../../host/harness/builds/filter-builds.js";

export interface TestBuild {
  readonly replacements: readonly Replacement[];
  readonly id: bigint;
}

/** Its validator traps at a plan named "trap". */
const TRAP_LINE = "plan.name = name.string(isName, EXPECTED_NAME, plan.name);";
export const TRAPS: TestBuild = {
  replacements: [
    { file: "policy/plans.ts", find: TRAP_LINE, by: `${TRAP_LINE} if (plan.name == "trap") unreachable();` },
  ],
  id: 0x7a9n,
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
export async function testBuild({ replacements, id }: TestBuild, folder: string): Promise<string> {
  const file = join(folder, `sluice-${id.toString(16)}.wasm`);
  writeFileSync(file, await changedFilterBytes(replacements, id));
  return file;
}
