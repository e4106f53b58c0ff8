// Prints policies and edge settings as canonical JSON: every field of the document, defaults filled in, in the document's own units.
import { POLICY_VERSION, SETTINGS_VERSION } from "../../contract";
import { JsonWriter } from "../json/writer";
import { printEnforcement } from "./enforcement";
import {
  ON_CONTENTION,
  ON_MAX_SESSIONS,
  ON_MISS,
  ON_TABLE_FULL,
  ON_UNREACHABLE,
  ON_UNREACHABLE_INHERITED,
  OPEN_STREAMS,
  Plan,
  Policy,
  RESPONSE_BODIES,
  RESPONSE_HEADERS,
  RESPONSE_LIMITS,
  SCOPES,
  UPSTREAM_HEADERS,
} from "./model";
import { printLimit, printRate } from "./print-limit";
import { printRoute } from "./print-route";
import { EdgeSettings } from "./settings-model";
import { printAnnotate, printToken } from "./token-print";

/** The same policy always gives the same bytes, and validating them gives the same policy. */
export function printPolicy(policy: Policy): string {
  const json = new JsonWriter();
  json.beginObject();
  json.name("version").integer(POLICY_VERSION);
  printToken(policy, json);
  printAnnotate(policy, json);
  json.name("plans").beginArray();
  for (let i = 0; i < policy.plans.length; i++) printPlan(policy.plans[i], json);
  json.endArray();
  json.name("routes").beginArray();
  for (let i = 0; i < policy.routes.length; i++) printRoute(policy.routes[i], json);
  json.endArray();
  printEnforcement(json.name("enforcement"), policy.enforcement);
  json.name("onMiss").string(ON_MISS.word(policy.onMiss));
  json.name("onUnreachable").string(ON_UNREACHABLE.word(policy.onUnreachable));
  json.name("onContention").string(ON_CONTENTION.word(policy.onContention));
  json.name("onTableFull").string(ON_TABLE_FULL.word(policy.onTableFull));
  json.name("controlPlane").beginObject();
  json.name("acquireTimeout").integer(policy.acquireTimeoutMs);
  json.name("reportInterval").integer(policy.reportIntervalMs);
  json.endObject();
  json.name("sessions").beginObject();
  json.name("cleanupInterval").integer(policy.cleanupIntervalMs);
  json.name("openStreams").string(OPEN_STREAMS.word(policy.openStreams));
  json.endObject();
  json.name("response").beginObject();
  json.name("headers").string(RESPONSE_HEADERS.word(policy.responseHeaders));
  json.name("body").string(RESPONSE_BODIES.word(policy.responseBody));
  json.name("upstreamHeaders").string(UPSTREAM_HEADERS.word(policy.upstreamHeaders));
  json.name("limits").string(RESPONSE_LIMITS.word(policy.responseLimits));
  json.endObject();
  json.endObject();
  return json.toString();
}

/** The policy within is printed as printPolicy does: its bytes, and so its hash, are the same in either document. */
export function printSettings(settings: EdgeSettings): string {
  const json = new JsonWriter();
  json.beginObject();
  json.name("version").integer(SETTINGS_VERSION);
  json.name("controlPlane").beginObject();
  json.name("cluster").string(settings.cluster);
  json.endObject();
  json.name("table").beginObject();
  json.name("name").string(settings.tableName);
  json.name("capacity").integer(settings.tableCapacity);
  json.endObject();
  json.name("follow").raw(settings.follow ? "true" : "false");
  const policy = settings.policy;
  if (policy !== null) json.name("policy").raw(printPolicy(policy));
  json.endObject();
  return json.toString();
}

function printPlan(plan: Plan, json: JsonWriter): void {
  json.beginObject();
  json.name("id").integer(plan.id);
  json.name("name").string(plan.name);
  json.name("maxTokens").integer(plan.maxTokens);
  printRate(plan, json);
  json.name("limits").beginArray();
  for (let i = 0; i < plan.limits.length; i++) printLimit(plan.limits[i], json);
  json.endArray();
  json.name("maxAge").integer(plan.maxAgeMs);
  json.name("lifetime").integer(plan.lifetimeMs);
  printIntegerOrNull(json.name("tokenBudget"), plan.tokenBudget);
  json.name("scope").string(SCOPES.word(plan.scope));
  printIntegerOrNull(json.name("maxSessionsPerUser"), plan.maxSessionsPerUser);
  json.name("onMaxSessions").string(ON_MAX_SESSIONS.word(plan.onMaxSessions));
  printEnforcement(json.name("enforcement"), plan.enforcement);
  json.name("onUnreachable");
  if (plan.onUnreachable == ON_UNREACHABLE_INHERITED) json.raw("null");
  else json.string(ON_UNREACHABLE.word(plan.onUnreachable));
  json.endObject();
}

function printIntegerOrNull(json: JsonWriter, value: u64): void {
  if (value == 0) json.raw("null");
  else json.integer(value);
}
