// The limit headers of a plan that has several limits (docs/policy.md, "Answers"): a list of what applied to the request,
// and what the tightest of them holds, or all.
import { BUCKETS_BYTES, NOT_SPENT, costOf, takeCosts } from "../../domain/limits/buckets";
import { LimitEntry, LimitTable } from "../../domain/limits/limit-table";
import {
  RESPONSE_HEADERS_BOTH,
  RESPONSE_HEADERS_DRAFT,
  RESPONSE_HEADERS_X_RATELIMIT,
  RESPONSE_LIMITS_ALL,
} from "../../domain/policy/model";
import { EMPTY_LIST } from "../../domain/routes/route-table";
import { writeAscii, writeBytes, writeDecimal } from "../../memory/bytes";
import { Epoch } from "../state/epoch";
import { RATE_LIMIT, RATE_LIMIT_POLICY, X_LIMIT, addWritten, addXLevel, writeLeft } from "./limit-fields";
import { namedCosts } from "./named-costs";

/** Eight of 80 bytes: a name of 32 characters in quotes, two numbers of up to 7 and 16 digits, and what stands between. */
const LIST_BYTES: u32 = 640;
const policyValue: usize = memory.data(LIST_BYTES);
const rateLimitValue: usize = memory.data(LIST_BYTES);
const limitValue: usize = memory.data(24);
/** Its costs alone are used, and only to tell which limits did not apply: those have NOT_SPENT. */
const buckets: usize = memory.data(BUCKETS_BYTES, 8);
const ANY_COST: u32 = 1;

/**
 * Notes the headers that the policy wants for a plan with further limits, the tightest of which holds `levelPico`.
 * @param limitCosts what the request's route says of limits by name: which of them applied
 * @param levels what all its limits hold
 */
export function addHeadersOfLimits(
  epoch: Epoch,
  limits: LimitTable,
  planIndex: u32,
  tightest: u32,
  limitCosts: u32,
  levelPico: i64,
  levels: usize,
): void {
  const form = epoch.policy.responseHeaders;
  const entry = limits.limitOf(planIndex, tightest);
  if (form == RESPONSE_HEADERS_DRAFT || form == RESPONSE_HEADERS_BOTH) {
    const wantsAll = epoch.policy.responseLimits == RESPONSE_LIMITS_ALL;
    if (wantsAll || limitCosts != EMPTY_LIST) {
      takeCosts(buckets, limits, planIndex, ANY_COST, namedCosts(epoch, limitCosts));
    }
    addPolicyHeader(limits, planIndex, limitCosts);
    const end = wantsAll
      ? writeList(limits, planIndex, rateLimitValue, levels)
      : writeLevel(rateLimitValue, entry, levelPico);
    addWritten(RATE_LIMIT, rateLimitValue, end);
  }
  if (form == RESPONSE_HEADERS_X_RATELIMIT || form == RESPONSE_HEADERS_BOTH) addXHeaders(entry, levelPico);
}

function addPolicyHeader(limits: LimitTable, planIndex: u32, limitCosts: u32): void {
  if (limitCosts == EMPTY_LIST) {
    const list = limits.listOf(planIndex);
    addWritten(RATE_LIMIT_POLICY, list, list + limits.listBytesOf(planIndex));
  } else {
    addWritten(RATE_LIMIT_POLICY, policyValue, writeList(limits, planIndex, policyValue, 0));
  }
}

/** The limits that applied, the plan's own first: what they are, or what they hold where `levels` is not 0. */
function writeList(limits: LimitTable, planIndex: u32, at: usize, levels: usize): usize {
  const further = limits.furtherOf(planIndex);
  let end = at;
  for (let limit: u32 = 0; limit <= further; limit++) {
    if (costOf(buckets, limit) == NOT_SPENT) continue;
    const entry = limits.limitOf(planIndex, limit);
    if (end != at) end = writeAscii(end, ", ");
    if (levels == 0) end = writeBytes(end, entry.text, entry.textBytes);
    else end = writeLevel(end, entry, load<i64>(levels + (limit << 3)));
  }
  return end;
}

/** `"daily";r=9999;t=9` */
function writeLevel(at: usize, entry: LimitEntry, levelPico: i64): usize {
  const end = writeAscii(writeBytes(at, entry.text, entry.nameBytes + 1), '";r=');
  return writeLeft(end, levelPico, entry.maxTokens, entry.ratePico, entry.rateUs);
}

/** The older form has room for one limit. */
function addXHeaders(entry: LimitEntry, levelPico: i64): void {
  addWritten(X_LIMIT, limitValue, writeDecimal(limitValue, entry.maxTokens));
  addXLevel(levelPico, entry.capacity, entry.ratePico, entry.rateUs);
}
