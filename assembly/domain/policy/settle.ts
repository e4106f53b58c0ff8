// Validates where a route's response says what the request really cost.
import { MAX_POINTER_CHARS, MAX_POINTER_TOKENS, MAX_SETTLE_TIMES } from "../../contract";
import { CostBounds } from "./cost-bounds";
import { Field } from "./field";
import { Fields } from "./fields";
import { RouteLimit } from "./limit-model";
import { EXPECTED_CLUSTER, isCluster, isHeaderName, isName } from "./names";
import { EXPECTED_LIMIT } from "./route-limits";
import { ON_MISSING, SETTLE_JSON, SETTLE_METADATA, SETTLE_SOURCES, Settle } from "./settle-model";
import { Violations, itemPath } from "./violations";

const EXPECTED_HEADER: string = "a header name of 1 to 64 characters, or null";
const EXPECTED_METADATA: string = 'a namespace and a key, such as ["envoy.filters.http.ext_proc", "tokens"], or null';

/** Null where the field is, or has none of what it needs. @param limits of the route, validated */
export function validateSettle(
  field: Field,
  limits: RouteLimit[],
  costs: CostBounds,
  violations: Violations,
): Settle | null {
  if (!field.isGiven) return null;
  const object = field.object();
  if (!field.fits) return null;
  const fields = new Fields(object, field.path, violations);
  const settle = new Settle();
  validateLimit(fields.optional("limit"), limits, costs, settle);
  if (!validateSource(fields, settle, violations)) {
    field.violation("says no place, expected one of header, trailer, metadata and json in it");
  }
  const times = fields.optional("times");
  if (times.isMillionths(1, MAX_SETTLE_TIMES, settle.timesMicro)) settle.timesMicro = times.read;
  else times.rejectNumber(expectedTimes(), 0);
  settle.onMissing = fields.optional("onMissing").choice(ON_MISSING, settle.onMissing);
  fields.rejectOthers();
  return settle;
}

function validateLimit(field: Field, limits: RouteLimit[], costs: CostBounds, settle: Settle): void {
  if (!field.isGiven) return;
  const name = field.string(isName, `${EXPECTED_LIMIT}, or null for the plan's own bucket`, "");
  if (!field.fits) return;
  const nameId = costs.nameIdOf(name);
  if (nameId < 0) field.reject(`${EXPECTED_LIMIT}, or null for the plan's own bucket`);
  else if (!spendsFrom(limits, nameId) && !costs.appliesAlways(nameId)) {
    field.reject("a limit that the route's requests spend from: one that applies always, or one in the route's limits");
  } else {
    settle.limit = name;
    settle.nameId = nameId;
  }
}

/** Whether there is one; more than one is a violation. */
function validateSource(fields: Fields, settle: Settle, violations: Violations): bool {
  let has = false;
  for (let source: u8 = 0; source < <u8>SETTLE_SOURCES.length; source++) {
    const field = fields.optional(SETTLE_SOURCES[source]);
    if (!field.isGiven) continue;
    if (has) {
      field.reject("only one of header, trailer, metadata and json");
      continue;
    }
    has = true;
    settle.source = source;
    if (source == SETTLE_METADATA) validateMetadata(field, settle, violations);
    else if (source == SETTLE_JSON) settle.at = field.string(isPointer, expectedPointer(), "");
    else settle.at = field.string(isHeaderName, EXPECTED_HEADER, "").toLowerCase();
  }
  return has;
}

function validateMetadata(field: Field, settle: Settle, violations: Violations): void {
  const items = field.pair(EXPECTED_METADATA);
  if (items.length == 0) return;
  settle.at = new Field(itemPath(field.path, 0), items[0], true, violations).string(isCluster, EXPECTED_CLUSTER, "");
  settle.key = new Field(itemPath(field.path, 1), items[1], true, violations).string(isCluster, EXPECTED_CLUSTER, "");
}

function spendsFrom(limits: RouteLimit[], nameId: u32): bool {
  for (let i = 0; i < limits.length; i++) if (limits[i].nameId == nameId) return true;
  return false;
}

// Made when they are needed, not kept: the garbage collector, which runs after every answer of the control plane, visits all
// that is kept.
function expectedPointer(): string {
  return (
    `a JSON Pointer (RFC 6901) of 1 to ${MAX_POINTER_CHARS} characters with up to ${MAX_POINTER_TOKENS} reference tokens, ` +
    'such as "/usage/total_tokens", or null'
  );
}

function expectedTimes(): string {
  return `a number above 0, at most ${MAX_SETTLE_TIMES}, with at most 6 decimals`;
}

/** One reference token at least; `~` only as `~0` or `~1`. */
function isPointer(text: string): bool {
  if (text.length > MAX_POINTER_CHARS || !text.startsWith("/")) return false;
  let tokens = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == 0x2f) tokens++;
    if (unit != 0x7e) continue;
    const escaped = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
    if (escaped != 0x30 && escaped != 0x31) return false;
  }
  return tokens <= MAX_POINTER_TOKENS;
}
