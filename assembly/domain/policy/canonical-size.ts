// Whether a policy is too long once its defaults are filled in: edges get it with these.
import { MAX_POLICY_BYTES } from "../../contract";
import { Field } from "./field";
import { Policy } from "./model";
import { Route } from "./route-model";

// The canonical forms of what has a bound, each with some to spare.
const REST_BYTES: u32 = 4000;
const PLAN_BYTES: u32 = 420;
const LIMIT_BYTES: u32 = 160;
const ROUTE_BYTES: u32 = 240;
const CONDITION_BYTES: u32 = 28;
const ROUTE_LIMIT_BYTES: u32 = 44;
const SETTLE_BYTES: u32 = 180;

/** Whether it takes a look at the canonical form to know: printing a large one takes as long as reading it. */
export function mayBeTooLong(policy: Policy): bool {
  const plans = policy.plans;
  let bytes = REST_BYTES + PLAN_BYTES * plans.length;
  for (let i = 0; i < plans.length; i++) bytes += LIMIT_BYTES * plans[i].limits.length;
  for (let i = 0; i < policy.routes.length; i++) bytes += mostBytesOf(policy.routes[i]);
  return bytes > MAX_POLICY_BYTES;
}

/** A character may be printed as two. */
function mostBytesOf(route: Route): u32 {
  const match = route.match;
  let bytes = ROUTE_BYTES + 2 * match.path.length + ROUTE_LIMIT_BYTES * route.limits.length;
  for (let j = 0; j < match.methods.length; j++) bytes += match.methods[j].length + 3;
  for (let j = 0; j < match.hosts.length; j++) bytes += match.hosts[j].length + 3;
  for (let j = 0; j < match.headers.length; j++) {
    const value = match.headers[j].value;
    bytes += CONDITION_BYTES + match.headers[j].name.length + (value === null ? 0 : 2 * value.length);
  }
  const settle = route.settle;
  return settle === null ? bytes : bytes + SETTLE_BYTES + 2 * (settle.at.length + settle.key.length);
}

/** Said of the whole policy, at the part that makes it long. */
export function rejectTooLong(field: Field, canonicalBytes: u32): void {
  if (canonicalBytes <= MAX_POLICY_BYTES) return;
  field.violation(`expected at most ${MAX_POLICY_BYTES} bytes of policy with all defaults, got ${canonicalBytes}`);
}
