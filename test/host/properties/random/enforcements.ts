// Random enforcement, in each of its forms.
import type { Enforcement } from "../../../../control-plane/src/domain/policy/policy.js";
import type { Random } from "../../harness/host/random.js";

export function randomEnforcement(random: Random): Enforcement {
  if (random.chance(0.4)) return { shadow: 1 + random.below(99) };
  return random.pick(["enforce", "enforce", "shadow", "observe", "observe", "off"]);
}
