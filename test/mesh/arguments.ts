// The arguments of `npm run verify:mesh`.
import { parseArgs } from "node:util";
import { Failure } from "../../scripts/failure.js";

export const STEPS = ["admission", "istio", "gateway", "chart"] as const;
export type StepName = (typeof STEPS)[number];

export interface MeshArguments {
  /** Whether what is recorded is written, and docs/verified.md where all steps are run. */
  readonly write: boolean;
  /** Which steps are run; all unless given. */
  readonly only: readonly StepName[];
  /** The run's folder, in the run that has namespaces of its own. */
  readonly inside: string | null;
}

/** @throws Failure that names what is wrong */
export function meshArguments(args: readonly string[]): MeshArguments {
  const options = {
    write: { type: "boolean" },
    only: { type: "string", multiple: true },
    inside: { type: "string" },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const only = (values.only ?? STEPS).map(stepOf);
    const write = values.write ?? false;
    return { write, only, inside: values.inside ?? null };
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(error instanceof Error ? error.message : String(error));
  }
}

function stepOf(name: string): StepName {
  const step = STEPS.find((one) => one === name);
  if (step === undefined) throw new Failure(`--only is one of ${STEPS.join(", ")}, not ${name}`);
  return step;
}
