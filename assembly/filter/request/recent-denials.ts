// Who was denied a moment ago and cannot have a token yet: answered again without a look at the table. A flood of
// requests above the limit so costs less than those it is limited to (docs/decisions/0028-denials-are-remembered.md).
import { TOKEN_BYTES, TOKEN_SESSION_ID_AT } from "../../contract";
import {
  LEVELS_BYTES,
  NO_LIMIT,
  denyingLimit,
  levelOf,
  refillAll,
  takeCosts,
  waitOf,
} from "../../domain/limits/buckets";
import { LimitTable } from "../../domain/limits/limit-table";
import { refill, refilledLevel, toPico, usUntil } from "../../domain/table/bucket";
import { Plan } from "../../domain/policy/model";
import { sameTokens } from "../../domain/token/token";
import { Request } from "../state/request";
import { namedCosts } from "./named-costs";
import { Verdict } from "./verdict";

//   0       36      40           44          48          56      64
//   | token | epoch | plan index | remainder | denied at | level | until |
//
// Of a plan with further limits all levels are kept, beside the entries: what they hold is compared with each request's own
// costs, so that a denial says nothing about a request that spends from other limits.

const ENTRIES: u32 = 4096;
const ENTRY_BYTES: u32 = 72;
const EPOCH_AT: u32 = 36;
const PLAN_AT: u32 = 40;
const REMAINDER_AT: u32 = 44;
const DENIED_AT: u32 = 48;
const LEVEL_AT: u32 = 56;
const UNTIL_AT: u32 = 64;
const table: usize = memory.data(294912, 8);
/** ENTRIES × LEVELS_BYTES. */
const levels: usize = memory.data(327680, 8);

/** The last bytes of a session id are random (RFC 9562, UUIDv7). */
const RANDOM_AT: u32 = TOKEN_SESSION_ID_AT + 12;

/**
 * The longest that a denial is repeated, µs. A bucket gains by refill only, but an operator may move the session to
 * another plan, or revoke it: this is how much later a session that is out of tokens hears of it.
 */
const MEMORY_US: u64 = 100000;

/** When the last of all denials is forgotten: while nobody is denied, no request looks into the table. */
let allForgottenUs: u64 = 0;

// @ts-ignore: decorator
@inline
function entryOf(token: usize): usize {
  return table + (load<u32>(token + RANDOM_AT) & (ENTRIES - 1)) * ENTRY_BYTES;
}

/** Address of the levels that belong to an entry. */
function levelsOf(entry: usize): usize {
  return levels + <u32>((entry - table) / ENTRY_BYTES) * LEVELS_BYTES;
}

/**
 * Whether this token was denied under this policy, and its buckets cannot hold the request's costs yet.
 * @param verdict then takes the plan, and what its buckets hold now, unless other workers have spent from them since
 */
export function isStillDenied(request: Request, nowUs: u64, verdict: Verdict): bool {
  if (nowUs >= allForgottenUs) return false;
  const token = request.token;
  const entry = entryOf(token);
  if (nowUs >= load<u64>(entry, UNTIL_AT)) return false;
  const epoch = request.epoch;
  if (load<u32>(entry, EPOCH_AT) != epoch.number || !sameTokens(entry, token)) return false;
  const planIndex = load<u32>(entry, PLAN_AT);
  const plan = unchecked(epoch.policy.plans[planIndex]);
  const elapsedUs = nowUs - load<u64>(entry, DENIED_AT);
  verdict.planIndex = planIndex;
  const limits = epoch.limitsBeside(planIndex);
  const isDenied =
    limits === null
      ? ownStillDenies(request, plan, entry, elapsedUs, verdict)
      : limitsStillDeny(request, limits, entry, elapsedUs, verdict);
  // Once the request is paid for, what was noted is more than is left.
  if (!isDenied) store<u64>(entry, 0, UNTIL_AT);
  return isDenied;
}

function ownStillDenies(request: Request, plan: Plan, entry: usize, elapsedUs: u64, verdict: Verdict): bool {
  const level = levelOfEntry(entry, plan, elapsedUs, verdict);
  verdict.levelPico = level;
  return level < toPico(request.cost) && request.cost != 0;
}

function levelOfEntry(entry: usize, plan: Plan, elapsedUs: u64, verdict: Verdict): i64 {
  const capacity = toPico(plan.maxTokens);
  const level = load<i64>(entry, LEVEL_AT);
  if (plan.rateUs == 1) return refilledLevel(level, elapsedUs, plan.ratePico, capacity);
  // In a copy: the entry says what was left when it was made.
  const copy = verdict.buckets;
  store<i64>(copy, level);
  store<u16>(copy, load<u16>(entry, REMAINDER_AT), 8);
  return refill(copy, copy + 8, elapsedUs, plan.ratePico, plan.rateUs, capacity);
}

function limitsStillDeny(request: Request, limits: LimitTable, entry: usize, elapsedUs: u64, verdict: Verdict): bool {
  const buckets = verdict.buckets;
  const planIndex = verdict.planIndex;
  takeCosts(buckets, limits, planIndex, request.cost, namedCosts(request.epoch, request.limitCosts));
  memory.copy(buckets, levelsOf(entry), LEVELS_BYTES);
  refillAll(buckets, limits, planIndex, elapsedUs);
  const denying = denyingLimit(buckets, limits, planIndex);
  if (denying == NO_LIMIT) return false;
  verdict.limit = denying;
  verdict.levelPico = levelOf(buckets, denying);
  return true;
}

/**
 * Notes that a bucket holds less than the request's cost, as the verdict says.
 * @param remainder of the bucket's level
 */
export function noteDenial(request: Request, plan: Plan, remainder: u32, verdict: Verdict): void {
  const level = verdict.levelPico;
  const waitUs = usUntil(level, remainder, toPico(request.cost), plan.ratePico, plan.rateUs);
  const entry = noteEntry(request, verdict, waitUs);
  store<u32>(entry, remainder, REMAINDER_AT);
  store<i64>(entry, level, LEVEL_AT);
}

/** The same for a plan with several limits, one of which denies: the levels of all are in the verdict. */
export function noteLimitsDenial(request: Request, limits: LimitTable, denying: u32, verdict: Verdict): void {
  const buckets = verdict.buckets;
  const waitUs = waitOf(buckets, limits.limitOf(verdict.planIndex, denying), denying);
  memory.copy(levelsOf(noteEntry(request, verdict, waitUs)), buckets, LEVELS_BYTES);
}

/** The buckets of this token's session hold something else than was noted. */
export function forgetDenial(token: usize): void {
  const entry = entryOf(token);
  if (sameTokens(entry, token)) store<u64>(entry, 0, UNTIL_AT);
}

function noteEntry(request: Request, verdict: Verdict, waitUs: u64): usize {
  const entry = entryOf(request.token);
  const nowUs = verdict.readAtUs;
  memory.copy(entry, request.token, TOKEN_BYTES);
  store<u32>(entry, request.epoch.number, EPOCH_AT);
  store<u32>(entry, verdict.planIndex, PLAN_AT);
  store<u64>(entry, nowUs, DENIED_AT);
  const untilUs = nowUs + min(MEMORY_US, waitUs);
  store<u64>(entry, untilUs, UNTIL_AT);
  allForgottenUs = max(allForgottenUs, untilUs);
  return entry;
}
