// Which fields belong to which document, and the message for a field in the wrong one.
import { Fields } from "./fields";

export const BELONGS_TO_SETTINGS: string = "belongs to the edge settings: the plugin configuration in Envoy";

/** Top-level fields that a policy has and edge settings do not: by them a document is known for a policy. */
export const POLICY_ONLY: string[] = [
  "header",
  "token",
  "annotate",
  "plans",
  "routes",
  "enforcement",
  "onMiss",
  "onUnreachable",
  "onContention",
  "onTableFull",
  "sessions",
  "response",
];

/** Of fields that edge settings also have, those within that a policy has and edge settings do not. */
export const POLICY_ONLY_OF_CONTROL_PLANE: string[] = ["acquireTimeout", "reportInterval"];

/** @param path of the field within a policy */
export function belongsToPolicy(path: string): string {
  return `belongs to the policy: policy.yaml of the control plane, or policy.${path} here`;
}

export function forbidNumbers(fields: Fields): void {
  const message = "the control plane numbers policies, expected no such field";
  fields.forbidden("generation", message);
  fields.forbidden("revision", message);
}
