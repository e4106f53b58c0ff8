// A policy as it is meant, in the order and the spelling that the published bytes have.
import type { Policy } from "../../../control-plane/src/domain/policy/policy.js";
import { readPolicyDocument } from "../../../control-plane/src/domain/policy/read-policy.js";

export class RejectedPolicy extends Error {
  override readonly name = "RejectedPolicy";
}

/** The policy without the routes that can never match, which are the one thing that a random policy may have wrong. */
export function withoutUnreachable(
  policy: Policy,
  write: (policy: Policy) => string,
): { policy: Policy; yaml: string } {
  const yaml = write(policy);
  const result = readPolicyDocument(yaml);
  if (!("violations" in result)) return { policy, yaml };
  const wrong = result.violations.filter(({ message }) => !message.includes("can never match"));
  if (wrong.length > 0) throw new RejectedPolicy(`${JSON.stringify(wrong)}\n${yaml}`);
  const bad = new Set(result.violations.map(({ path }) => Number(/^routes\[(\d+)\]/.exec(path)?.[1])));
  return withoutUnreachable({ ...policy, routes: policy.routes.filter((_, index) => !bad.has(index)) }, write);
}

/** Limits stand in the order of their names. */
export function canonical(policy: Policy): Policy {
  const [first, ...others] = policy.plans.map((plan) => ({
    ...plan,
    limits: [...plan.limits].sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
  if (first === undefined) throw new Error("a policy has a plan");
  return { ...policy, plans: [first, ...others] };
}
