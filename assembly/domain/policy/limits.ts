// Validates the further limits of a plan, and numbers their names.
import { MAX_LIMITS_OF_PLAN, MAX_TOKENS } from "../../contract";
import { JsonNode } from "../json/node";
import { Field } from "./field";
import { Fields } from "./fields";
import { APPLIES, Limit, NO_LIMITS } from "./limit-model";
import { Plan } from "./model";
import { EXPECTED_NAME, isName } from "./names";
import { validateRate } from "./rates";
import { Violations, itemPath } from "./violations";

/**
 * Sorted by name: their one order everywhere.
 * @param planName empty where it does not fit
 */
export function validateLimits(field: Field, planName: string, violations: Violations): Limit[] {
  const items = field.items(0, MAX_LIMITS_OF_PLAN);
  if (items.length == 0) return NO_LIMITS;
  const limits: Limit[] = [];
  const namePaths = new Map<string, string>();
  for (let i = 0; i < items.length && !violations.full; i++) {
    const limit = validateLimit(items[i], itemPath(field.path, i), planName, namePaths, violations);
    if (limit !== null) limits.push(limit);
  }
  return limits.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function validateLimit(
  node: JsonNode,
  path: string,
  planName: string,
  namePaths: Map<string, string>,
  violations: Violations,
): Limit | null {
  const fields = Fields.of(node, path, violations);
  if (fields === null) return null;
  const limit = new Limit();
  const name = fields.required("name");
  limit.name = name.string(isName, EXPECTED_NAME, limit.name);
  if (name.fits) {
    if (limit.name == planName) name.reject("another name than the plan's, which its own bucket has");
    else if (namePaths.has(limit.name)) {
      name.reject(`a name that no other limit of the plan has (${namePaths.get(limit.name)} has it)`);
    } else namePaths.set(limit.name, name.path);
  }
  limit.maxTokens = <u32>fields.required("maxTokens").integer(1, MAX_TOKENS, limit.maxTokens);
  validateRate(fields, limit);
  limit.applies = fields.optional("applies").choice(APPLIES, limit.applies);
  fields.rejectOthers();
  return limit;
}

/** The names of all plans' further limits, each once, sorted; each limit gets its name's index. */
export function numberLimits(plans: Plan[]): string[] {
  const ids = new Map<string, u32>();
  for (let i = 0; i < plans.length; i++) {
    for (let j = 0; j < plans[i].limits.length; j++) ids.set(plans[i].limits[j].name, 0);
  }
  const names = ids.keys().sort();
  for (let i = 0; i < names.length; i++) ids.set(names[i], i);
  for (let i = 0; i < plans.length; i++) {
    for (let j = 0; j < plans[i].limits.length; j++) plans[i].limits[j].nameId = ids.get(plans[i].limits[j].name);
  }
  return names;
}
