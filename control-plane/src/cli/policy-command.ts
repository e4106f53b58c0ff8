// The command that judges a policy on this machine, with the judge that control plane and filter have compiled in.
import type { LocalCommand } from "./command.js";
import { EXIT, usageFailure } from "./failure.js";

export const policyCheck: LocalCommand = {
  name: "policy check",
  summary: "judge a policy file on this machine, as the control plane and the edges would",
  args: [{ name: "FILE", what: "the policy, in YAML or JSON" }],
  options: {},
  notes: [
    "Nothing is sent. What depends on the installation is not judged: a control plane refuses a policy without a plan",
    "that live sessions have.",
  ],
  example: "policy check policy.yaml",
  next: "sluice edges   shows, once the file is in place, which edges run it",
  runLocally: async ({ args: [file = ""], io, output }) => {
    let text: string;
    try {
      text = io.readFile(file);
    } catch (error) {
      const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
      return usageFailure(`${file} cannot be read: ${reason}`);
    }
    // Loads the judge's module, which no other command needs.
    const { readPolicyDocument } = await import("../domain/policy/read-policy.js");
    const verdict = readPolicyDocument(text);
    if (!("faults" in verdict)) {
      const plans = verdict.policy.plans.map(({ name }) => name).join(", ");
      if (output.json) output.document({ accepted: true, policy: verdict.policy });
      else output.line(`${file} is accepted; plans: ${plans}`);
      return undefined;
    }
    const { faults } = verdict;
    if (output.json) output.document({ accepted: false, faults });
    for (const { line, column, path, message } of output.json ? [] : faults) {
      output.line(`${file}:${line}:${column}: ${path === "" ? message : `${path}: ${message}`}`);
    }
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    return { exit: EXIT.refused, code: "POLICY_REFUSED", message: `${file} has ${count}` };
  },
};
