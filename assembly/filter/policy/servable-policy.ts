// Whether this build of the filter can do what a policy asks for. What a missing callback would leave undone without harm
// is said in the log (announce.ts); a policy that settles costs would charge wrongly without: it is rejected.
import { Policy } from "../../domain/policy/model";
import { PolicyResult, validatePolicy } from "../../domain/policy/validator";
import { Violation } from "../../domain/policy/violations";
import { BUILD_LEAN, BUILD_SETTLE, isBuild } from "../vm/build-kind";

/** Validates a policy as `validatePolicy` does, and by what this build lacks. */
export function validateServablePolicy(text: string): PolicyResult {
  const result = validatePolicy(text);
  const lacking = lackingCallbacks(result.policy, "");
  return lacking === null ? result : new PolicyResult([lacking], null);
}

/**
 * The first route that this build cannot serve, as a violation; null if there is none.
 * @param prefix of the violation's path: where the policy stands
 */
export function lackingCallbacks(policy: Policy | null, prefix: string): Violation | null {
  if (policy === null || isBuild(BUILD_SETTLE)) return null;
  const routes = policy.routes;
  for (let i = 0; i < routes.length; i++) {
    if (routes[i].settle === null) continue;
    const file = isBuild(BUILD_LEAN) ? "sluice-lean.wasm" : "sluice.wasm";
    return new Violation(
      `${prefix}routes[${i}].settle`,
      `${file} has no callback for what a response says, expected null, or sluice-settle.wasm as the filter`,
    );
  }
  return null;
}
