// The one judge of policies: text in; either every fault, or the policy with its defaults filled in.
import { MAX_ACQUIRE_TIMEOUT_MS, MAX_POLICY_BYTES, POLICY_VERSION } from "../../contract";
import { describePlace, readJson } from "../json/reader";
import { Fault, Faults } from "./faults";
import { Fields } from "./fields";
import {
  ENFORCEMENTS,
  ON_CONTENTION,
  ON_MISS,
  ON_TABLE_FULL,
  ON_UNREACHABLE,
  Policy,
  RESPONSE_BODIES,
  RESPONSE_HEADERS,
} from "./model";
import { EXPECTED_HEADER, isSessionHeader } from "./names";
import { judgePlans } from "./plans";

const MAX_ROUTES: i32 = 1000;
/** One tick is 100 ms; past 10 minutes a crash of Envoy would lose more than anyone expects. */
const MIN_REPORT_INTERVAL_MS: u64 = 100;
const MAX_REPORT_INTERVAL_MS: u64 = 600000;
/** A sweep reads every session: not more often than ten times a second, and at least once a day. */
const MIN_CLEANUP_INTERVAL_MS: u64 = 100;
const MAX_CLEANUP_INTERVAL_MS: u64 = 86400000;

const IN_SETTINGS: string = "belongs to the edge settings, the plugin configuration in Envoy";
const NUMBERED: string = "the control plane numbers policies; expected no such field";

/** `policy` is null exactly when there are faults, of which there are at most MAX_FAULTS. */
export class Verdict {
  constructor(
    public faults: Fault[],
    public policy: Policy | null,
  ) {}
}

/**
 * Judges a policy document in JSON. It decides from the text alone and never traps.
 */
export function judgePolicy(text: string): Verdict {
  const faults = new Faults();
  const policy = new Policy();
  const bytes = String.UTF8.byteLength(text);
  if (<u32>bytes > MAX_POLICY_BYTES) {
    faults.add("", `expected at most ${MAX_POLICY_BYTES} bytes of JSON, got ${bytes}`);
    return new Verdict(faults.list, null);
  }
  const reading = readJson(text);
  const root = reading.root;
  if (root === null) {
    faults.add("", `not JSON: ${reading.message} at ${describePlace(text, reading.offset)}`);
    return new Verdict(faults.list, null);
  }
  const fields = Fields.of(root, "", faults);
  if (fields !== null) judgeDocument(fields, policy, faults);
  return new Verdict(faults.list, faults.list.length == 0 ? policy : null);
}

export function judgeDocument(fields: Fields, policy: Policy, faults: Faults): void {
  fields.required("version").integer(POLICY_VERSION, POLICY_VERSION, POLICY_VERSION);
  fields.forbidden("generation", NUMBERED);
  fields.forbidden("revision", NUMBERED);
  const header = fields.optional("header").string(isSessionHeader, EXPECTED_HEADER, policy.header);
  policy.header = header.toLowerCase();
  const plans = fields.required("plans");
  const routes = fields.optional("routes");
  if (routes.items(0, MAX_ROUTES).length > 0) routes.refuseNotYet("an empty array");

  policy.enforcement = fields.optional("enforcement").choice(ENFORCEMENTS, policy.enforcement);
  policy.onMiss = fields.optional("onMiss").choice(ON_MISS, policy.onMiss);
  policy.onUnreachable = fields.optional("onUnreachable").choice(ON_UNREACHABLE, policy.onUnreachable);
  policy.onContention = fields.optional("onContention").choice(ON_CONTENTION, policy.onContention);
  policy.onTableFull = fields.optional("onTableFull").choice(ON_TABLE_FULL, policy.onTableFull);

  fields.forbidden("table", IN_SETTINGS);
  const reportIntervalMs = judgeControlPlane(fields.section("controlPlane"), policy);
  judgeSessions(fields.section("sessions"), policy);
  judgeResponse(fields.section("response"), policy);
  fields.refuseOthers();

  policy.plans = judgePlans(plans, reportIntervalMs, faults);
  policy.indexPlans();
}

/** Answers reportInterval in ms, or 0 when it does not fit. */
function judgeControlPlane(fields: Fields, policy: Policy): u64 {
  fields.forbidden("cluster", IN_SETTINGS);
  const acquireTimeout = fields.optional("acquireTimeout");
  policy.acquireTimeoutMs = <u32>acquireTimeout.integer(1, MAX_ACQUIRE_TIMEOUT_MS, policy.acquireTimeoutMs);
  const interval = fields.optional("reportInterval");
  policy.reportIntervalMs = <u32>(
    interval.integer(MIN_REPORT_INTERVAL_MS, MAX_REPORT_INTERVAL_MS, policy.reportIntervalMs)
  );
  fields.refuseOthers();
  return interval.fits ? policy.reportIntervalMs : 0;
}

function judgeSessions(fields: Fields, policy: Policy): void {
  const interval = fields.optional("cleanupInterval");
  policy.cleanupIntervalMs = <u32>(
    interval.integer(MIN_CLEANUP_INTERVAL_MS, MAX_CLEANUP_INTERVAL_MS, policy.cleanupIntervalMs)
  );
  fields.refuseOthers();
}

function judgeResponse(fields: Fields, policy: Policy): void {
  policy.responseHeaders = fields.optional("headers").choice(RESPONSE_HEADERS, policy.responseHeaders);
  policy.responseBody = fields.optional("body").choice(RESPONSE_BODIES, policy.responseBody);
  fields.refuseOthers();
}
