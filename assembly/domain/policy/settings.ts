// Judges edge settings: text in; either every fault, or the settings with their defaults filled in.
import { MAX_POLICY_BYTES, MAX_TABLE_CAPACITY, MIN_TABLE_CAPACITY, SETTINGS_VERSION } from "../../contract";
import { JSON_FALSE, JSON_OBJECT, JSON_TRUE } from "../json/node";
import { describePlace, readJson } from "../json/reader";
import { Fault, Faults } from "./faults";
import { Fields } from "./fields";
import { judgeDocument } from "./judge";
import { Policy } from "./model";
import { EXPECTED_CLUSTER, EXPECTED_NAME, isCluster, isName } from "./names";
import { EdgeSettings } from "./settings-model";

export class SettingsVerdict {
  constructor(
    public faults: Fault[],
    public settings: EdgeSettings | null,
  ) {}
}

export function judgeSettings(text: string): SettingsVerdict {
  const faults = new Faults();
  const settings = new EdgeSettings();
  const bytes = String.UTF8.byteLength(text);
  if (<u32>bytes > MAX_POLICY_BYTES) {
    faults.add("", `expected at most ${MAX_POLICY_BYTES} bytes of JSON, got ${bytes}`);
    return new SettingsVerdict(faults.list, null);
  }
  const reading = readJson(text);
  const root = reading.root;
  if (root === null) {
    faults.add("", `not JSON: ${reading.message} at ${describePlace(text, reading.offset)}`);
    return new SettingsVerdict(faults.list, null);
  }
  const fields = Fields.of(root, "", faults);
  if (fields !== null) judgeFields(fields, settings, faults);
  return new SettingsVerdict(faults.list, faults.list.length == 0 ? settings : null);
}

function judgeFields(fields: Fields, settings: EdgeSettings, faults: Faults): void {
  fields.required("version").integer(SETTINGS_VERSION, SETTINGS_VERSION, SETTINGS_VERSION);
  const controlPlane = fields.section("controlPlane");
  settings.cluster = controlPlane.optional("cluster").string(isCluster, EXPECTED_CLUSTER, settings.cluster);
  controlPlane.refuseOthers();
  const table = fields.section("table");
  settings.tableName = table.optional("name").string(isName, EXPECTED_NAME, settings.tableName);
  const capacity = table.optional("capacity");
  settings.tableCapacity = <u32>capacity.integer(MIN_TABLE_CAPACITY, MAX_TABLE_CAPACITY, settings.tableCapacity);
  if (capacity.fits && popcnt(settings.tableCapacity) != 1) capacity.refuse("a power of two");
  table.refuseOthers();
  const follow = fields.optional("follow");
  const word = follow.node;
  if (word !== null) {
    if (word.kind != JSON_TRUE && word.kind != JSON_FALSE) follow.refuse("true or false");
    settings.follow = word.kind != JSON_FALSE;
  }
  const policy = fields.optional("policy");
  const node = policy.node;
  if (node !== null && node.kind == JSON_OBJECT) {
    const judged = new Policy();
    judgeDocument(new Fields(node, policy.path, faults), judged, faults);
    settings.policy = judged;
  } else if (node !== null) policy.refuse("an object");
  if (!settings.follow && node === null) follow.fault("expected true, or a policy that holds for good");
  fields.refuseOthers();
}
