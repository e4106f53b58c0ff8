// The command that validates a policy or edge settings on this machine, with the validator that control plane and filter have.
import { MAX_SETTINGS_BYTES } from "../../../../assembly/contract.js";
import { policyHash } from "../../domain/policy/policy-hash.js";
import type {
  DocumentKind,
  ValidatedPolicy,
  ValidatedSettings,
  LocatedViolation,
  Policy,
} from "../../domain/policy/policy.js";
import type { LocalCommand } from "../command.js";
import { EXIT } from "../failure.js";
import type { Failure } from "../failure.js";
import { violationLine } from "../../domain/policy/violation-line.js";
import { readSource } from "./document-source.js";
import type { Output } from "../terminal/output.js";

export const policyCheck: LocalCommand = {
  name: "policy check",
  summary: "validate a policy or edge settings on this machine, as the control plane and the edges would",
  args: [{ name: "FILE", what: "the document, in YAML or JSON; - for the standard input" }],
  options: {},
  notes: [
    "A document with a field that only a policy has, such as plans, is taken for a policy, any other for edge settings,",
    "the plugin configuration in Envoy. The hash is the one by which edges say which policy they run.",
    "Nothing is sent. What depends on the installation is not validated: a control plane rejects a policy without a plan",
    "that live sessions have.",
  ],
  example: "policy check policy.yaml",
  next: "sluice edges   shows, once the file is in place, which edges run it",
  runLocally: async ({ args: [file = ""], io, output }) => {
    const source = await readSource(file, MAX_SETTINGS_BYTES, io);
    if (!source.ok) return source.failure;
    const { name, bytes } = source.value;
    // Loads the validator's module, which no other command needs.
    const { readDocument } = await import("../../domain/policy/read-policy.js");
    const result = readDocument(bytes);
    if ("violations" in result) return rejected(name, result, output);
    const { kind, policyJson } = result;
    if (output.json) {
      const hash = policyJson === undefined ? null : policyHash(policyJson);
      output.document({ accepted: true, kind, hash, [kind]: kind === "policy" ? result.policy : result.settings });
    } else {
      output.line(`${name}: ${kind === "policy" ? policyText(result) : settingsText(result)}`);
    }
    return undefined;
  },
};

const policyText = ({ policy, policyJson }: ValidatedPolicy): string =>
  `a policy, ${plansText(policy)}, hash ${policyHash(policyJson)}`;

function settingsText({ settings, policyJson }: ValidatedSettings): string {
  const { controlPlane, table, follow, policy } = settings;
  const isCarried = policy !== undefined && policyJson !== undefined;
  return [
    `edge settings, ${follow ? "follow" : "do not follow"} the control plane`,
    `cluster ${controlPlane.cluster}`,
    `table ${table.name} of ${table.capacity} records`,
    `policy of their own: ${isCarried ? `${plansText(policy)}, hash ${policyHash(policyJson)}` : "none"}`,
  ].join(", ");
}

const plansText = ({ plans }: Policy): string => (plans.length === 1 ? "1 plan" : `${plans.length} plans`);

function rejected(name: string, { kind, violations }: Rejection, output: Output): Failure {
  if (output.json) output.document({ accepted: false, kind: kind ?? null, violations: violations });
  for (const violation of output.json ? [] : violations) {
    output.line(violationLine(name, violation));
  }
  const taken = kind === undefined ? "" : `, taken for ${kind === "policy" ? "a policy" : "edge settings"},`;
  const count = violations.length === 1 ? "1 violation" : `${violations.length} violations`;
  const code = kind === "settings" ? "SETTINGS_REJECTED" : "POLICY_REJECTED";
  return { exit: EXIT.denied, code, message: `${name}${taken} has ${count}` };
}

interface Rejection {
  readonly kind?: DocumentKind | undefined;
  readonly violations: readonly LocatedViolation[];
}
