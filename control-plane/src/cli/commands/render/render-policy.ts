// A policy file that becomes part of edge settings: read, validated, and each violation printed with its position.
import { MAX_POLICY_BYTES } from "../../../../../assembly/contract.js";
import type { Policy } from "../../../domain/policy/policy.js";
import type { Invocation } from "../../command.js";
import { violationLine } from "../../../domain/policy/violation-line.js";
import { readOr } from "../document-source.js";
import { done, EXIT, failed } from "../../failure.js";
import type { Outcome } from "../../failure.js";

/** Violations are remarks: what is printed goes into a file, and nothing is printed of a policy that is none. */
export async function readPolicyFile(file: string, { io, output }: Invocation): Promise<Outcome<Policy>> {
  const read = await readOr(file, () => io.readFile(file, MAX_POLICY_BYTES));
  if (!read.ok) return read;
  // Loads the validator's module, which no other command needs.
  const { readPolicyDocument } = await import("../../../domain/policy/read-policy.js");
  const result = readPolicyDocument(read.value);
  if (!("violations" in result)) return done(result.policy);
  for (const violation of result.violations) output.remark(violationLine(file, violation));
  const { length } = result.violations;
  const message = `${file} has ${length === 1 ? "1 violation" : `${length} violations`}`;
  return failed({ exit: EXIT.denied, code: "POLICY_REJECTED", message });
}
