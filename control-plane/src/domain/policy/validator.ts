// The validator of policies and edge settings, as the filter compiles it in, called from Node.
import { __collect, validate } from "#validator";
import type { DocumentKind, EdgeSettings, Violation, ValidatedPolicy, ValidatedSettings, Policy } from "./policy.js";

const GUESS = 0;
const POLICY = 1;
const SETTINGS = 2;

const KINDS: readonly DocumentKind[] = ["policy", "settings"];

/** At most 100 violations, in the order in which the validator finds them. */
interface Rejected {
  readonly violations: readonly Violation[];
}

export function validatePolicyJson(json: string): ValidatedPolicy | Rejected {
  const answer = answerOf(json, POLICY);
  if ("violations" in answer) return { violations: answer.violations };
  return { policy: JSON.parse(answer.canonical) as Policy, policyJson: answer.canonical };
}

export function validateSettingsJson(json: string): ValidatedSettings | Rejected {
  const answer = answerOf(json, SETTINGS);
  if ("violations" in answer) return { violations: answer.violations };
  const settings = JSON.parse(answer.canonical) as EdgeSettings;
  const validated = { settings, settingsJson: answer.canonical };
  if (settings.policy === undefined) return validated;
  // Printed by the validator, not by JavaScript: an edge takes the hash of these bytes.
  const policy = answerOf(JSON.stringify(settings.policy), POLICY);
  if ("violations" in policy) throw new Error("the validator rejects a policy that it accepted within edge settings");
  return { ...validated, policyJson: policy.canonical };
}

/** Which of the two a document means to be: a policy has fields that edge settings lack. */
export const kindOfJson = (json: string): DocumentKind => answerOf(json, GUESS).kind;

type Answer = { readonly kind: DocumentKind } & (Rejected | { readonly canonical: string });

function answerOf(json: string, kind: number): Answer {
  const answer = validate(json, kind);
  // Documents are rare, and a collection of a small heap is cheap: after each, so that none adds to the next.
  __collect();
  for (const one of KINDS) {
    const prefix = `{"kind":"${one}","${one}":`;
    if (answer.startsWith(prefix)) return { kind: one, canonical: answer.slice(prefix.length, -1) };
  }
  return JSON.parse(answer) as Answer;
}
