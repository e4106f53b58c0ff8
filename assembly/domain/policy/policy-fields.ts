// Validates the fields of a policy, wherever it stands: as a document of its own, or within edge settings.
import { MAX_ACQUIRE_TIMEOUT_MS, POLICY_VERSION } from "../../contract";
import { Violations } from "./violations";
import { Field } from "./field";
import { Fields } from "./fields";
import { readEnforcement } from "./enforcement";
import {
  ON_CONTENTION,
  ON_MISS,
  ON_TABLE_FULL,
  ON_UNREACHABLE,
  OPEN_STREAMS,
  Policy,
  RESPONSE_BODIES,
  RESPONSE_HEADERS,
  RESPONSE_LIMITS,
  UPSTREAM_HEADERS,
} from "./model";
import { numberLimits } from "./limits";
import { validatePlans } from "./plans";
import { printPolicy } from "./print";
import { validateRoutes } from "./routes";
import { mayBeTooLong, rejectTooLong } from "./canonical-size";
import { validateAnnotate, validateToken } from "./token-fields";
import { BELONGS_TO_SETTINGS, forbidNumbers } from "./field-documents";

/** One tick is 100 ms; past 10 minutes a crash of Envoy would lose more than anyone expects. */
const MIN_REPORT_INTERVAL_MS: u64 = 100;
const MAX_REPORT_INTERVAL_MS: u64 = 600000;
/** A sweep reads every session: not more often than ten times a second, and at least once a day. */
const MIN_CLEANUP_INTERVAL_MS: u64 = 100;
const MAX_CLEANUP_INTERVAL_MS: u64 = 86400000;

/** The policy is complete only where no violation was added. */
export function validatePolicyFields(fields: Fields, violations: Violations): Policy {
  const policy = new Policy();
  fields.required("version").integer(POLICY_VERSION, POLICY_VERSION, POLICY_VERSION);
  validateToken(fields, violations, policy);
  validateAnnotate(fields.optional("annotate"), violations, policy);
  const plans = fields.required("plans");
  const routes = fields.optional("routes");

  policy.enforcement = readEnforcement(fields.optional("enforcement"), policy.enforcement, violations);
  policy.onMiss = fields.optional("onMiss").choice(ON_MISS, policy.onMiss);
  policy.onUnreachable = fields.optional("onUnreachable").choice(ON_UNREACHABLE, policy.onUnreachable);
  policy.onContention = fields.optional("onContention").choice(ON_CONTENTION, policy.onContention);
  policy.onTableFull = fields.optional("onTableFull").choice(ON_TABLE_FULL, policy.onTableFull);

  const reportInterval = validateControlPlane(fields.section("controlPlane"), policy);
  validateSessions(fields.section("sessions"), policy);
  validateResponse(fields.section("response"), policy);
  fields.forbidden("table", BELONGS_TO_SETTINGS);
  fields.forbidden("follow", BELONGS_TO_SETTINGS);
  fields.forbidden("policy", BELONGS_TO_SETTINGS);
  forbidNumbers(fields);
  fields.rejectOthers();

  policy.plans = validatePlans(plans, reportInterval, policy.reportIntervalMs, violations);
  policy.indexPlans();
  policy.limitNames = numberLimits(policy.plans);
  policy.routes = validateRoutes(routes, policy, violations);
  if (violations.list.length == 0 && mayBeTooLong(policy)) {
    rejectTooLong(routes.isGiven ? routes : plans, String.UTF8.byteLength(printPolicy(policy)));
  }
  return policy;
}

/** Answers the field reportInterval, which the plans are held against. */
function validateControlPlane(fields: Fields, policy: Policy): Field {
  const acquireTimeout = fields.optional("acquireTimeout");
  policy.acquireTimeoutMs = <u32>acquireTimeout.duration(1, MAX_ACQUIRE_TIMEOUT_MS, policy.acquireTimeoutMs);
  const interval = fields.optional("reportInterval");
  policy.reportIntervalMs = <u32>(
    interval.duration(MIN_REPORT_INTERVAL_MS, MAX_REPORT_INTERVAL_MS, policy.reportIntervalMs)
  );
  fields.forbidden("cluster", BELONGS_TO_SETTINGS);
  fields.rejectOthers();
  return interval;
}

function validateSessions(fields: Fields, policy: Policy): void {
  const interval = fields.optional("cleanupInterval");
  policy.cleanupIntervalMs = <u32>(
    interval.duration(MIN_CLEANUP_INTERVAL_MS, MAX_CLEANUP_INTERVAL_MS, policy.cleanupIntervalMs)
  );
  policy.openStreams = fields.optional("openStreams").choice(OPEN_STREAMS, policy.openStreams);
  fields.rejectOthers();
}

function validateResponse(fields: Fields, policy: Policy): void {
  policy.responseHeaders = fields.optional("headers").choice(RESPONSE_HEADERS, policy.responseHeaders);
  policy.responseBody = fields.optional("body").choice(RESPONSE_BODIES, policy.responseBody);
  policy.upstreamHeaders = fields.optional("upstreamHeaders").choice(UPSTREAM_HEADERS, policy.upstreamHeaders);
  policy.responseLimits = fields.optional("limits").choice(RESPONSE_LIMITS, policy.responseLimits);
  fields.rejectOthers();
}
