// The judge of policies, as the filter compiles it in, called from Node.
import { __collect, judge } from "#judge";
import type { Fault, JudgedPolicy, Policy } from "./policy.js";

const POLICY_PREFIX = '{"policy":';

/**
 * Judges a policy document in JSON; at most 100 faults, in the order in which the judge finds them.
 * @param pushed true for what goes to the edges, where `generation` and `revision` may stand
 */
export function judgePolicyJson(json: string, pushed: boolean): JudgedPolicy | { readonly faults: readonly Fault[] } {
  const answer = judge(json, pushed);
  // Policies are rare, and a collection of a small heap is cheap: after each, so that none adds to the next.
  __collect();
  if (!answer.startsWith(POLICY_PREFIX)) return JSON.parse(answer) as { faults: Fault[] };
  const policyJson = answer.slice(POLICY_PREFIX.length, -1);
  return { policy: JSON.parse(policyJson) as Policy, policyJson };
}

/**
 * The JSON that an edge is given.
 * @param policyJson canonical JSON of an accepted policy
 * @param generation 1 to 2^53 - 1
 * @param revision 1 to 64 visible ASCII characters, new with each push, so that no two pushes have the same bytes
 */
export function pushedPolicyJson(policyJson: string, generation: number, revision: string): string {
  const { version, ...rest } = JSON.parse(policyJson) as Policy;
  return JSON.stringify({ version, generation, revision, ...rest });
}
