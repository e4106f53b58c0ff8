// Whether a request that was denied is answered, or passes: by its route's enforcement, its plan's, or the document's.
import {
  ENFORCEMENT_ENFORCE,
  ENFORCEMENT_OBSERVE,
  ENFORCEMENT_SHADOW,
  enforcementKind,
  shadowPercent,
} from "../../domain/policy/enforcement";
import { isShadowed } from "../../domain/policy/shadow";
import { planIdOf } from "../../domain/token/token";
import { Request } from "../state/request";
import { BUDGET_SPENT, CANNOT_DECIDE, LIMITED, Verdict } from "./verdict";

const NO_PLAN: i32 = -1;

/** ENFORCEMENT_ENFORCE: it is answered. Else the kind under which it passes. */
export function enforcementOfDenial(request: Request, verdict: Verdict): u32 {
  const enforcement = request.epoch.enforcementOf(request.enforcement, planIndexOf(request, verdict));
  if (enforcement == ENFORCEMENT_ENFORCE) return ENFORCEMENT_ENFORCE;
  const kind = enforcementKind(enforcement);
  if (kind != ENFORCEMENT_SHADOW) return kind;
  const isSpent = verdict.outcome == LIMITED || verdict.outcome == BUDGET_SPENT;
  return isSpent && isShadowed(request.token, shadowPercent(enforcement)) ? ENFORCEMENT_OBSERVE : ENFORCEMENT_ENFORCE;
}

/**
 * The plan of the session that was denied. NO_PLAN for a missing or an invalid one: nobody says which it has. Where nothing
 * could be decided (503), the token's tag was verified, so the plan that it names counts.
 */
function planIndexOf(request: Request, verdict: Verdict): i32 {
  const outcome = verdict.outcome;
  if (outcome == LIMITED || outcome == BUDGET_SPENT) return verdict.planIndex;
  return outcome == CANNOT_DECIDE ? request.epoch.policy.planIndexById(planIdOf(request.token)) : NO_PLAN;
}
