// The limit headers of one answer (docs/policy.md, "Answers"), noted as header pairs with their values in static buffers.
import { toPico } from "../../domain/table/bucket";
import {
  Plan,
  RESPONSE_HEADERS_BOTH,
  RESPONSE_HEADERS_DRAFT,
  RESPONSE_HEADERS_X_RATELIMIT,
} from "../../domain/policy/model";
import { hasResponseHeader, removeResponseHeader, replaceResponseHeader } from "../../host/headers";
import { addressOf, writeBytes } from "../../memory/bytes";
import { addFixedPair, pairAt, pairCount } from "../../memory/header-pairs";
import { Epoch } from "../state/epoch";
import {
  RATE_LIMIT,
  RATE_LIMIT_POLICY,
  X_LIMIT,
  X_REMAINING,
  X_RESET,
  addWritten,
  addXLevel,
  writeLeft,
} from "./limit-fields";
import { addHeadersOfLimits } from "./several-limit-headers";

/** The longest: a plan's name of 32 characters and two numbers. */
const rateLimitValue: usize = memory.data(96);

/**
 * Notes the headers that the policy wants for a plan.
 * @param tightest of its limits, which holds `levelPico`; 0 is its own bucket
 * @param limitCosts of a plan with further limits: what the request's route says of them by name
 * @param levels of such a plan: what all its limits hold
 */
export function addLimitHeaders(
  epoch: Epoch,
  planIndex: u32,
  tightest: u32,
  limitCosts: u32,
  levelPico: i64,
  levels: usize,
): void {
  const limits = epoch.limitsBeside(planIndex);
  if (limits === null) addOwnHeaders(epoch, planIndex, levelPico);
  else addHeadersOfLimits(epoch, limits, planIndex, tightest, limitCosts, levelPico, levels);
}

function addOwnHeaders(epoch: Epoch, planIndex: u32, levelPico: i64): void {
  const form = epoch.policy.responseHeaders;
  const plan = unchecked(epoch.policy.plans[planIndex]);
  if (form == RESPONSE_HEADERS_DRAFT || form == RESPONSE_HEADERS_BOTH)
    addDraftHeaders(epoch, planIndex, plan, levelPico);
  if (form == RESPONSE_HEADERS_X_RATELIMIT || form == RESPONSE_HEADERS_BOTH) {
    addXHeaders(epoch, planIndex, plan, levelPico);
  }
}

/** Whether the response has one of the names that the policy's form sets. */
export function hasLimitHeaders(form: u8): bool {
  if (form != RESPONSE_HEADERS_X_RATELIMIT && (has(RATE_LIMIT) || has(RATE_LIMIT_POLICY))) return true;
  return form != RESPONSE_HEADERS_DRAFT && (has(X_LIMIT) || has(X_REMAINING) || has(X_RESET));
}

/** Puts the noted headers into the response, in place of those that it has. One that ours leaves out goes too. */
export function replaceLimitHeaders(form: u8): void {
  const pairs = pairCount();
  for (let i: u32 = 0; i < pairs; i++) {
    const pair = pairAt(i);
    replaceResponseHeader(load<u32>(pair), load<u32>(pair, 4), load<u32>(pair, 8), load<u32>(pair, 12));
  }
  // The last of its form: a bucket that never refills has none.
  const isComplete = form == RESPONSE_HEADERS_DRAFT || load<u32>(pairAt(pairs - 1)) == <u32>addressOf(X_RESET);
  if (!isComplete) removeResponseHeader(addressOf(X_RESET), X_RESET.byteLength);
}

function has(name: ArrayBuffer): bool {
  return hasResponseHeader(addressOf(name), name.byteLength);
}

/** draft-ietf-httpapi-ratelimit-headers-10 */
function addDraftHeaders(epoch: Epoch, planIndex: u32, plan: Plan, levelPico: i64): void {
  const texts = unchecked(epoch.plans[planIndex]);
  addFixedPair(RATE_LIMIT_POLICY, texts.rateLimitPolicy);
  const prefix = texts.rateLimitPrefix;
  const end = writeBytes(rateLimitValue, addressOf(prefix), prefix.byteLength);
  addWritten(RATE_LIMIT, rateLimitValue, writeLeft(end, levelPico, plan.maxTokens, plan.ratePico, plan.rateUs));
}

/** The older form. */
function addXHeaders(epoch: Epoch, planIndex: u32, plan: Plan, levelPico: i64): void {
  addFixedPair(X_LIMIT, unchecked(epoch.plans[planIndex]).xLimit);
  addXLevel(levelPico, toPico(plan.maxTokens), plan.ratePico, plan.rateUs);
}
