// Who was refused a moment ago and cannot have a token yet: answered again without a look at the table. A flood of
// requests above the limit so costs less than those it is limited to (docs/decisions/0028-denials-are-remembered.md).
import { TOKEN_BYTES, TOKEN_SESSION_ID_AT } from "../../contract";
import { refilledLevel, toPico } from "../../domain/table/bucket";
import { Plan } from "../../domain/policy/model";
import { sameTokens } from "../../domain/token/token";
import { Epoch } from "../state/epoch";

//   0       36        40             44        48             56       64
//   | token | epoch   | plan index   | (4)     | refused at   | level  | until |

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
 * The longest that a refusal is repeated, µs. A bucket gains by refill only, but an operator may move the session to
 * another plan, or revoke it: this is how much later a session that is out of tokens hears of it.
 */
const MEMORY_US: u64 = 100000;

/** When the last of all refusals is forgotten: while nobody is refused, no request looks into the table. */
let allForgottenUs: u64 = 0;
let planIndex: u32 = 0;
let levelPico: i64 = 0;

// @ts-ignore: decorator
@inline
function entryOf(token: usize): usize {
  return table + (load<u32>(token + RANDOM_AT) & (ENTRIES - 1)) * ENTRY_BYTES;
}

/** Whether this token was refused under this policy, and its bucket cannot hold `price` yet. See `deniedLevelPico`. */
export function isStillDenied(epoch: Epoch, token: usize, price: i64, nowUs: u64): bool {
  if (nowUs >= allForgottenUs) return false;
  const entry = entryOf(token);
  if (nowUs >= load<u64>(entry, UNTIL_AT)) return false;
  if (load<u32>(entry, EPOCH_AT) != epoch.number || !sameTokens(entry, token)) return false;
  planIndex = load<u32>(entry, PLAN_AT);
  const plan = unchecked(epoch.policy.plans[planIndex]);
  const elapsedUs = nowUs - load<u64>(entry, DENIED_AT);
  levelPico = refilledLevel(load<i64>(entry, LEVEL_AT), elapsedUs, plan.refillRateMicro, toPico(plan.maxTokens));
  return levelPico < price;
}

/** After `isStillDenied`. */
export function deniedPlanIndex(): u32 {
  return planIndex;
}

/** After `isStillDenied`: what the bucket holds now, unless others have spent from it since. */
export function deniedLevelPico(): i64 {
  return levelPico;
}

/** Notes that a bucket held `level`, less than `price`, at `nowUs`. */
export function noteDenial(
  epoch: Epoch,
  token: usize,
  plan: Plan,
  index: u32,
  level: i64,
  price: i64,
  nowUs: u64,
): void {
  const entry = entryOf(token);
  memory.copy(entry, token, TOKEN_BYTES);
  store<u32>(entry, epoch.number, EPOCH_AT);
  store<u32>(entry, index, PLAN_AT);
  store<u64>(entry, nowUs, DENIED_AT);
  store<i64>(entry, level, LEVEL_AT);
  const untilUs = nowUs + min(MEMORY_US, usUntil(level, price, plan.refillRateMicro));
  store<u64>(entry, untilUs, UNTIL_AT);
  allForgottenUs = max(allForgottenUs, untilUs);
}

/** Whole µs until the level reaches the price, rounded up; the largest if it never will. */
function usUntil(level: i64, price: i64, rateMicro: u64): u64 {
  if (rateMicro == 0) return u64.MAX_VALUE;
  return (<u64>price - <u64>level - 1) / rateMicro + 1;
}
