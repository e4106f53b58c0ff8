// Validates the plans: each by itself, and that no two have the same id or name.
import {
  MAX_DURATION_MS,
  MAX_PLANS,
  MAX_PLAN_ID,
  MAX_SAFE_INTEGER,
  MAX_TOKENS,
  MIN_MAX_AGE_IN_REPORT_INTERVALS,
  SCOPE_FLEET,
} from "../../contract";
import { JsonNode } from "../json/node";
import { Violations, itemPath } from "./violations";
import { readEnforcementOrNull } from "./enforcement";
import { Field } from "./field";
import { Fields } from "./fields";
import { validateLimits } from "./limits";
import { ON_MAX_SESSIONS, ON_UNREACHABLE, ON_UNREACHABLE_DENY, ON_UNREACHABLE_TRUST, Plan, SCOPES } from "./model";
import { EXPECTED_NAME, isName } from "./names";
import { validateRate } from "./rates";

/** Far above what a person has; it bounds what one sign-in must look through. */
const MAX_SESSIONS_PER_USER: u64 = 1000;

const EXPECTED_UNREACHABLE_OF_FLEET: string =
  '"deny", or null, in a plan of scope "fleet", of which an edge spends only what it was granted';

/** @param reportInterval the validated field of `reportIntervalMs`: where it does not fit, maxAge is not compared with it */
export function validatePlans(
  field: Field,
  reportInterval: Field,
  reportIntervalMs: u64,
  violations: Violations,
): Plan[] {
  const items = field.items(1, MAX_PLANS);
  const minMaxAgeMs = reportInterval.fits ? reportIntervalMs * MIN_MAX_AGE_IN_REPORT_INTERVALS : 0;
  const validate = new PlansValidator(violations, reportInterval.path, minMaxAgeMs);
  const plans: Plan[] = [];
  for (let i = 0; i < items.length && !violations.full; i++) {
    plans.push(validate.plan(items[i], itemPath(field.path, i)));
  }
  return plans;
}

class PlansValidator {
  private pathOfId: Map<u32, string> = new Map<u32, string>();
  private pathOfName: Map<string, string> = new Map<string, string>();

  constructor(
    private violations: Violations,
    private reportIntervalPath: string,
    private minMaxAgeMs: u64,
  ) {}

  plan(node: JsonNode, path: string): Plan {
    const plan = new Plan();
    const fields = Fields.of(node, path, this.violations);
    if (fields === null) return plan;

    const id = fields.required("id");
    plan.id = <u32>id.integer(0, MAX_PLAN_ID, plan.id);
    this.isNew(id, this.pathOfId, plan.id);

    const name = fields.required("name");
    plan.name = name.string(isName, EXPECTED_NAME, plan.name);
    this.isNew(name, this.pathOfName, plan.name);

    plan.maxTokens = <u32>fields.required("maxTokens").integer(1, MAX_TOKENS, plan.maxTokens);
    validateRate(fields, plan);
    plan.limits = validateLimits(fields.optional("limits"), plan.name, this.violations);

    const maxAge = fields.optional("maxAge");
    plan.maxAgeMs = maxAge.duration(1, MAX_DURATION_MS, plan.maxAgeMs);
    this.outlastsReports(maxAge, plan.maxAgeMs);
    plan.lifetimeMs = fields.optional("lifetime").duration(1, MAX_DURATION_MS, plan.lifetimeMs);

    plan.tokenBudget = fields.optional("tokenBudget").integerOrNull(1, MAX_SAFE_INTEGER, plan.tokenBudget);

    plan.scope = fields.optional("scope").choice(SCOPES, plan.scope);

    const maxSessions = fields.optional("maxSessionsPerUser");
    plan.maxSessionsPerUser = <u32>maxSessions.integerOrNull(1, MAX_SESSIONS_PER_USER, plan.maxSessionsPerUser);
    plan.onMaxSessions = fields.optional("onMaxSessions").choice(ON_MAX_SESSIONS, plan.onMaxSessions);

    plan.enforcement = readEnforcementOrNull(fields.optional("enforcement"), this.violations);

    const onUnreachable = fields.optional("onUnreachable");
    plan.onUnreachable = onUnreachable.choiceOrNull(ON_UNREACHABLE, plan.onUnreachable);
    if (plan.scope == SCOPE_FLEET) this.deniesUnreachable(plan, onUnreachable);

    fields.rejectOthers();
    return plan;
  }

  /** An edge that cannot ask would spend what another one spends too: no trust, and the document's is not inherited. */
  private deniesUnreachable(plan: Plan, field: Field): void {
    if (plan.onUnreachable == ON_UNREACHABLE_TRUST) field.reject(EXPECTED_UNREACHABLE_OF_FLEET);
    plan.onUnreachable = ON_UNREACHABLE_DENY;
  }

  private isNew<T>(field: Field, pathOfValue: Map<T, string>, value: T): void {
    if (!field.fits) return;
    if (pathOfValue.has(value)) field.reject(`a value that no other plan has (${pathOfValue.get(value)} has it)`);
    else pathOfValue.set(value, field.path);
  }

  /** A session may miss a few reports before it counts as idle. The default can be too short as well. */
  private outlastsReports(maxAge: Field, maxAgeMs: u64): void {
    if (!maxAge.fits || maxAgeMs >= this.minMaxAgeMs) return;
    const expected = `at least ${MIN_MAX_AGE_IN_REPORT_INTERVALS} times ${this.reportIntervalPath} (${this.minMaxAgeMs})`;
    if (maxAge.node === null) maxAge.violation(`expected ${expected}, got its default ${maxAgeMs}`);
    else maxAge.reject(expected);
  }
}
