// Spending from a session's bucket: read its set, decide on the copy, write the set back by compare-and-swap.
import { FLAG_BUDGET_SPENT, FLAG_PROVISIONAL, FLAG_REFRESH, FLAG_UNCONFIRMED, RECORD_BYTES } from "../../contract";
import { toPico, elapsedUsSince, refilledLevel } from "../../domain/table/bucket";
import { tokenKeyStateOf } from "../../domain/token/keys";
import { Plan } from "../../domain/policy/model";
import {
  consumedOf,
  hasFlag,
  isLive,
  isPastEnd,
  levelPicoOf,
  recordPlanIdOf,
  recordTokenOf,
  refilledAtUsOf,
  revOf,
  setConsumed,
  setLevelPico,
  setRecordToken,
  setRefilledAtUs,
  setRev,
} from "../../domain/table/record";
import { findRecord } from "../../domain/table/set";
import { keyIdOfToken, sameTokens, sessionIdOf, tagMatches } from "../../domain/token/token";
import { monotonicUs } from "../../host/clock";
import { sharedCas, sharedValue } from "../../host/shared-data";
import { OK } from "../../host/status";
import { CAS_EXHAUSTED, CAS_RETRIES, count } from "../vm/counters";
import { noteProvisional } from "../table/provisional";
import { keysWithId } from "../vm/process";
import { isStillDenied, noteDenial, deniedLevelPico, deniedPlanIndex } from "./recent-denials";
import { Root } from "../state/roots";
import { MAX_CAS_TRIES, lastSetIndex, readSet, writeSet } from "../table/session-table";

/** How long a spent budget is taken to be spent without asking: at most two acquires a minute, whoever keeps trying. */
const BUDGET_AGE_US: u64 = 30000000;

// What the record is worth.
/** As it stands, unless the control plane is to be asked first. */
export const ASK_FIRST: u32 = 0;
/** The control plane was asked, or cannot be: it stands, unless a reset put it in doubt. */
export const STANDS: u32 = 1;
/** The policy trusts what cannot be asked about: it stands in any case. */
export const STANDS_UNCONFIRMED: u32 = 2;

// What came of it.
export const ALLOWED: u32 = 0;
export const LIMITED: u32 = 1;
export const BUDGET_SPENT: u32 = 2;
export const INVALID_TOKEN: u32 = 3;
/** No usable record: ask the control plane. */
export const MISS: u32 = 4;
/** There is a record, but the control plane should be asked first: idle for too long here, or flagged refresh. */
export const ASK: u32 = 5;
/** The record's plan is not in the policy. */
export const UNKNOWN_PLAN: u32 = 6;
/** The cas bound was reached. */
export const CONTENDED: u32 = 7;

let clockUs: u64 = 0;
let planIndex: u32 = 0;
let levelPico: i64 = 0;
let provisional: bool = false;
let recordStood: bool = false;

/** The clock as read before the set that the last `spend` decided on. */
export function spendClockUs(): u64 {
  return clockUs;
}

/** After MISS: whether there was a record all the same, ended long ago or in doubt. */
export function spendFoundRecord(): bool {
  return recordStood;
}

/** After ALLOWED, LIMITED and BUDGET_SPENT: which plan, and what the bucket holds now. */
export function spendPlanIndex(): u32 {
  return planIndex;
}

export function spendLevelPico(): i64 {
  return levelPico;
}

/**
 * Takes `cost` tokens from the bucket of the token's session, or says why not. A refusal writes nothing.
 * @param standing whether the record is to be asked about first: ASK_FIRST, STANDS or STANDS_UNCONFIRMED
 */
export function spend(root: Root, token: usize, cost: u32, standing: u32): u32 {
  for (let tries: u32 = 0; tries < MAX_CAS_TRIES; tries++) {
    clockUs = monotonicUs();
    if (standing == ASK_FIRST && isStillDenied(root.epoch, token, toPico(cost), clockUs)) {
      planIndex = deniedPlanIndex();
      levelPico = deniedLevelPico();
      return LIMITED;
    }
    recordStood = false;
    if (readSet(root.table, sessionIdOf(token)) != OK) return MISS;
    const set = sharedValue();
    const record = findRecord(set, sessionIdOf(token));
    if (record == 0) return MISS;
    recordStood = true;
    const outcome = decide(root, record, token, cost, standing);
    if (outcome != ALLOWED) return outcome;
    if (writeSet(set, sharedCas()) == OK) {
      if (provisional) noteProvisional(root.table, token);
      root.table.dirty.mark(lastSetIndex(), <u32>((record - set) / RECORD_BYTES));
      return ALLOWED;
    }
    count(CAS_RETRIES);
  }
  count(CAS_EXHAUSTED);
  return CONTENDED;
}

/** Decides on the copy of the record, and spends in it if the outcome is ALLOWED. */
function decide(root: Root, record: usize, token: usize, cost: u32, standing: u32): u32 {
  const keys = keysWithId(keyIdOfToken(token));
  if (keys == 0) return INVALID_TOKEN;
  // Equal bytes were verified when the record was made; others are a re-issued token, or forged.
  const sameToken = sameTokens(recordTokenOf(record), token);
  if (!sameToken && !tagMatches(token, tokenKeyStateOf(keys))) return INVALID_TOKEN;
  if (!isLive(record)) return isPastEnd(record, clockUs) ? MISS : INVALID_TOKEN;
  if (isPastEnd(record, clockUs)) return INVALID_TOKEN;
  const index = root.epoch.policy.planIndexById(recordPlanIdOf(record));
  if (index < 0) return UNKNOWN_PLAN;
  planIndex = index;
  const plan = unchecked(root.epoch.policy.plans[index]);
  if (standing == ASK_FIRST && shouldAsk(record, plan)) return ASK;
  if (standing != STANDS_UNCONFIRMED && hasFlag(record, FLAG_UNCONFIRMED)) return MISS;
  levelPico = levelNow(record, plan);
  if (hasFlag(record, FLAG_BUDGET_SPENT)) return BUDGET_SPENT;
  const price = toPico(cost);
  if (levelPico < price) {
    noteDenial(root.epoch, token, plan, planIndex, levelPico, price, clockUs);
    return LIMITED;
  }
  levelPico -= price;
  if (!sameToken) setRecordToken(record, token);
  spendInRecord(record, cost);
  return ALLOWED;
}

function shouldAsk(record: usize, plan: Plan): bool {
  if (hasFlag(record, FLAG_REFRESH)) return true;
  const elapsedUs = elapsedUsSince(refilledAtUsOf(record), clockUs);
  // A budget may have been raised: nobody is told of that, so a spent one is looked at again now and then.
  return elapsedUs > plan.maxAgeMs * 1000 || (hasFlag(record, FLAG_BUDGET_SPENT) && elapsedUs > BUDGET_AGE_US);
}

/** The level refilled up to the clock, at the plan in force. */
function levelNow(record: usize, plan: Plan): i64 {
  const elapsedUs = elapsedUsSince(refilledAtUsOf(record), clockUs);
  return refilledLevel(levelPicoOf(record), elapsedUs, plan.refillRateMicro, toPico(plan.maxTokens));
}

function spendInRecord(record: usize, cost: u32): void {
  setRev(record, revOf(record) + 1);
  setLevelPico(record, levelPico);
  setConsumed(record, consumedOf(record) + cost);
  // A clock read before another worker's write may lie before it: time in the table never goes back.
  if (clockUs > refilledAtUsOf(record)) setRefilledAtUs(record, clockUs);
  provisional = hasFlag(record, FLAG_PROVISIONAL);
}
