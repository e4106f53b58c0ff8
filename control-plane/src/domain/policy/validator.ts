// The judge of policies and edge settings, as the filter compiles it in, called from Node.
import { __collect, judge } from "#judge";
import type { DocumentKind, EdgeSettings, Fault, JudgedPolicy, JudgedSettings, Policy } from "./policy.js";

const GUESS = 0;
const POLICY = 1;
const SETTINGS = 2;

const KINDS: readonly DocumentKind[] = ["policy", "settings"];

/** At most 100 faults, in the order in which the judge finds them. */
interface Refused {
  readonly faults: readonly Fault[];
}

export function judgePolicyJson(json: string): JudgedPolicy | Refused {
  const answer = answerOf(json, POLICY);
  if ("faults" in answer) return { faults: answer.faults };
  return { policy: JSON.parse(answer.canonical) as Policy, policyJson: answer.canonical };
}

export function judgeSettingsJson(json: string): JudgedSettings | Refused {
  const answer = answerOf(json, SETTINGS);
  if ("faults" in answer) return { faults: answer.faults };
  const settings = JSON.parse(answer.canonical) as EdgeSettings;
  const judged = { settings, settingsJson: answer.canonical };
  if (settings.policy === undefined) return judged;
  // Printed by the judge, not by JavaScript: an edge takes the hash of these bytes.
  const policy = answerOf(JSON.stringify(settings.policy), POLICY);
  if ("faults" in policy) throw new Error("the judge refuses a policy that it accepted within edge settings");
  return { ...judged, policyJson: policy.canonical };
}

/** Which of the two a document means to be: a policy has fields that edge settings lack. */
export const kindOfJson = (json: string): DocumentKind => answerOf(json, GUESS).kind;

type Answer = { readonly kind: DocumentKind } & (Refused | { readonly canonical: string });

function answerOf(json: string, kind: number): Answer {
  const answer = judge(json, kind);
  // Documents are rare, and a collection of a small heap is cheap: after each, so that none adds to the next.
  __collect();
  for (const one of KINDS) {
    const prefix = `{"kind":"${one}","${one}":`;
    if (answer.startsWith(prefix)) return { kind: one, canonical: answer.slice(prefix.length, -1) };
  }
  return JSON.parse(answer) as Answer;
}
