// The judge of policies, as the filter compiles it in, called from Node.
import { __collect, judge } from "#judge";
import type { Fault, JudgedPolicy, Policy } from "./policy.js";

const POLICY_PREFIX = '{"policy":';

/** Judges a policy document in JSON; at most 100 faults, in the order in which the judge finds them. */
export function judgePolicyJson(json: string): JudgedPolicy | { readonly faults: readonly Fault[] } {
  const answer = judge(json, false);
  // Policies are rare, and a collection of a small heap is cheap: after each, so that none adds to the next.
  __collect();
  if (!answer.startsWith(POLICY_PREFIX)) return JSON.parse(answer) as { faults: Fault[] };
  const policyJson = answer.slice(POLICY_PREFIX.length, -1);
  return { policy: JSON.parse(policyJson) as Policy, policyJson };
}
