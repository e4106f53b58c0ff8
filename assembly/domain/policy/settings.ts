// Validates edge settings: text in; either every violation, or the settings with their defaults filled in.
import { MAX_SETTINGS_BYTES, MAX_TABLE_CAPACITY, MIN_TABLE_CAPACITY, SETTINGS_VERSION } from "../../contract";
import { readFields } from "./document";
import { Violation, Violations } from "./violations";
import { Fields } from "./fields";
import { EXPECTED_CLUSTER, EXPECTED_NAME, isCluster, isName } from "./names";
import { POLICY_ONLY, POLICY_ONLY_OF_CONTROL_PLANE, belongsToPolicy, forbidNumbers } from "./field-documents";
import { validatePolicyFields } from "./policy-fields";
import { EdgeSettings } from "./settings-model";

/** `settings` is null exactly when there are violations, of which there are at most MAX_VIOLATIONS. */
export class SettingsResult {
  constructor(
    public violations: Violation[],
    public settings: EdgeSettings | null,
  ) {}
}

/** Validates edge settings in JSON. It decides from the text alone and never traps. */
export function validateSettings(text: string): SettingsResult {
  const violations = new Violations();
  const fields = readFields(text, MAX_SETTINGS_BYTES, violations);
  if (fields === null) return new SettingsResult(violations.list, null);
  const settings = validateSettingsFields(fields, violations);
  return new SettingsResult(violations.list, violations.list.length == 0 ? settings : null);
}

/** The settings are complete only where no violation was added. The policy comes last: it may have a hundred violations. */
function validateSettingsFields(fields: Fields, violations: Violations): EdgeSettings {
  const settings = new EdgeSettings();
  fields.required("version").integer(SETTINGS_VERSION, SETTINGS_VERSION, SETTINGS_VERSION);
  validateControlPlane(fields.section("controlPlane"), settings);
  validateTable(fields.section("table"), settings);
  const follow = fields.optional("follow");
  settings.follow = follow.boolean(settings.follow);
  const policy = fields.optional("policy");
  if (!settings.follow && policy.node === null) {
    follow.violation("false leaves this edge without a policy, expected true or a policy beside it");
  }
  for (let i = 0; i < POLICY_ONLY.length; i++) fields.forbidden(POLICY_ONLY[i], belongsToPolicy(POLICY_ONLY[i]));
  forbidNumbers(fields);
  fields.rejectOthers();

  const object = policy.object();
  if (policy.node !== null && policy.fits) {
    settings.policy = validatePolicyFields(new Fields(object, policy.path, violations), violations);
  }
  return settings;
}

function validateControlPlane(fields: Fields, settings: EdgeSettings): void {
  settings.cluster = fields.optional("cluster").string(isCluster, EXPECTED_CLUSTER, settings.cluster);
  for (let i = 0; i < POLICY_ONLY_OF_CONTROL_PLANE.length; i++) {
    const name = POLICY_ONLY_OF_CONTROL_PLANE[i];
    fields.forbidden(name, belongsToPolicy(`controlPlane.${name}`));
  }
  fields.rejectOthers();
}

function validateTable(fields: Fields, settings: EdgeSettings): void {
  settings.tableName = fields.optional("name").string(isName, EXPECTED_NAME, settings.tableName);
  const capacity = fields.optional("capacity");
  settings.tableCapacity = <u32>capacity.integer(MIN_TABLE_CAPACITY, MAX_TABLE_CAPACITY, settings.tableCapacity);
  if (capacity.fits && popcnt(settings.tableCapacity) != 1) capacity.reject("a power of two");
  fields.rejectOthers();
}
