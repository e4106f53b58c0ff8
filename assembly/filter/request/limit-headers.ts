// The limit headers of one answer (docs/policy.md, "Answers"), noted as header pairs with their values in static buffers.
import { toPico, secondsUntil, wholeTokens } from "../../domain/table/bucket";
import {
  Plan,
  RESPONSE_HEADERS_BOTH,
  RESPONSE_HEADERS_DRAFT,
  RESPONSE_HEADERS_X_RATELIMIT,
} from "../../domain/policy/model";
import { hasResponseHeader, removeResponseHeader, replaceResponseHeader } from "../../host/headers";
import { addressOf, writeAscii, writeBytes, writeDecimal } from "../../memory/bytes";
import { addFixedPair, pairAt, pairCount } from "../../memory/header-pairs";
import { Epoch } from "../state/epoch";
import {
  RATE_LIMIT,
  RATE_LIMIT_POLICY,
  RETRY_AFTER,
  X_LIMIT,
  X_REMAINING,
  X_RESET,
  addWritten,
} from "./limit-header-names";

/** The longest: a plan's name of 32 characters and two numbers. */
const rateLimitValue: usize = memory.data(96);
const remainingValue: usize = memory.data(24);
const resetValue: usize = memory.data(24);
const retryAfterValue: usize = memory.data(24);

/** Notes the headers that the policy wants for a plan that has its own bucket alone, which holds `levelPico`. */
export function addLimitHeaders(epoch: Epoch, planIndex: u32, levelPico: i64): void {
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

/** draft-ietf-httpapi-ratelimit-headers-10; r: whole tokens left, t: seconds until one more, if one will come. */
function addDraftHeaders(epoch: Epoch, planIndex: u32, plan: Plan, levelPico: i64): void {
  const texts = unchecked(epoch.plans[planIndex]);
  addFixedPair(RATE_LIMIT_POLICY, texts.rateLimitPolicy);
  const prefix = texts.rateLimitPrefix;
  const left = wholeTokens(levelPico);
  let end = writeBytes(rateLimitValue, addressOf(prefix), prefix.byteLength);
  end = writeDecimal(end, left);
  if (left < plan.maxTokens) {
    const oneMoreS = secondsUntil(levelPico, toPico(left + 1), plan.ratePico, plan.rateUs);
    if (oneMoreS >= 0) end = writeDecimal(writeAscii(end, ";t="), oneMoreS);
  }
  addWritten(RATE_LIMIT, rateLimitValue, end);
}

/** The older form; reset: seconds until the bucket is full, if it will be. */
function addXHeaders(epoch: Epoch, planIndex: u32, plan: Plan, levelPico: i64): void {
  addFixedPair(X_LIMIT, unchecked(epoch.plans[planIndex]).xLimit);
  addWritten(X_REMAINING, remainingValue, writeDecimal(remainingValue, wholeTokens(levelPico)));
  const fullS = secondsUntil(levelPico, toPico(plan.maxTokens), plan.ratePico, plan.rateUs);
  if (fullS >= 0) addWritten(X_RESET, resetValue, writeDecimal(resetValue, fullS));
}

/** Retry-After of a request that a bucket holds too little for: at least 1 s; none if the tokens will never come. */
export function addRetryAfter(levelPico: i64, cost: u32, ratePico: u64, rateUs: u32): void {
  const seconds = secondsUntil(levelPico, toPico(cost), ratePico, rateUs);
  if (seconds < 0) return;
  addWritten(RETRY_AFTER, retryAfterValue, writeDecimal(retryAfterValue, max<i64>(seconds, 1)));
}
