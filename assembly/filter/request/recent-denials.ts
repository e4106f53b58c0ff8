// Who was denied a moment ago and cannot have a token yet: answered again without a look at the table. A flood of
// requests above the limit so costs less than those it is limited to (docs/decisions/0028-denials-are-remembered.md).
import { TOKEN_BYTES, TOKEN_SESSION_ID_AT } from "../../contract";
import { refilledLevel, toPico } from "../../domain/table/bucket";
import { Plan } from "../../domain/policy/model";
import { sameTokens } from "../../domain/token/token";
import { Request } from "../state/request";
import { Verdict } from "./verdict";

//   0       36        40             44        48             56       64
//   | token | epoch   | plan index   | (4)     | denied at    | level  | until |

const ENTRIES: u32 = 4096;
const ENTRY_BYTES: u32 = 72;
const EPOCH_AT: u32 = 36;
const PLAN_AT: u32 = 40;
const DENIED_AT: u32 = 48;
const LEVEL_AT: u32 = 56;
const UNTIL_AT: u32 = 64;
const table: usize = memory.data(294912, 8);

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

/**
 * Whether this token was denied under this policy, and its bucket cannot hold the request's cost yet.
 * @param verdict then takes the plan, and what the bucket holds now, unless others have spent from it since
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
  const level = refilledLevel(load<i64>(entry, LEVEL_AT), elapsedUs, plan.ratePico, toPico(plan.maxTokens));
  verdict.planIndex = planIndex;
  verdict.levelPico = level;
  return level < toPico(request.cost) && request.cost != 0;
}

/** Notes that a bucket holds less than the request's cost, as the verdict says. */
export function noteDenial(request: Request, plan: Plan, verdict: Verdict): void {
  const entry = entryOf(request.token);
  const nowUs = verdict.readAtUs;
  const level = verdict.levelPico;
  memory.copy(entry, request.token, TOKEN_BYTES);
  store<u32>(entry, request.epoch.number, EPOCH_AT);
  store<u32>(entry, verdict.planIndex, PLAN_AT);
  store<u64>(entry, nowUs, DENIED_AT);
  store<i64>(entry, level, LEVEL_AT);
  const untilUs = nowUs + min(MEMORY_US, usUntil(level, toPico(request.cost), plan.ratePico));
  store<u64>(entry, untilUs, UNTIL_AT);
  allForgottenUs = max(allForgottenUs, untilUs);
}

/** Whole µs until the level reaches the cost, rounded up; the largest if it never will. */
function usUntil(level: i64, cost: i64, rateMicro: u64): u64 {
  if (rateMicro == 0) return u64.MAX_VALUE;
  return (<u64>cost - <u64>level - 1) / rateMicro + 1;
}
