// How answers of the control plane change a record: levels, ends and figures.
import { FLAG_BUDGET_SPENT, FLAG_PROVISIONAL, FLAG_REFRESH, FLAG_UNCONFIRMED, PICO_PER_TOKEN } from "../contract";
import {
  ANSWER_EXPIRED,
  ANSWER_LIVE,
  ANSWER_REVOKED,
  ANSWER_UNKNOWN,
  AcquireAnswer,
} from "../domain/edge/acquire-answer";
import { confirmRecord, endRecord, fillRecord, writeUnverified } from "../domain/edge/answered-record";
import { validatePolicy } from "../domain/policy/validator";
import { Policy } from "../domain/policy/model";
import * as record from "../domain/table/record";

const SECOND: u64 = 1000000;
const NOW: u64 = 1000 * SECOND;
const HOUR_MS: u64 = 3600000;

const at = memory.data(80);
const token = memory.data(36);

/** Ten tokens, two a second. */
function policy(): Policy {
  const text = `{"version":1,"plans":[{"id":4,"name":"a","maxTokens":10,"tokenRefillRate":2}]}`;
  const validated = validatePolicy(text).policy;
  if (validated === null) throw new Error("the policy was rejected");
  return validated;
}

function answerOf(state: u8, tokens: i64 = 10): AcquireAnswer {
  const answer = new AcquireAnswer();
  answer.state = state;
  answer.planId = 4;
  answer.endsInMs = HOUR_MS;
  answer.levelMicro = tokens * 1000000;
  answer.consumed = 30;
  answer.rev = 5;
  return answer;
}

/** A live record of the plan with so many tokens left, that spent 4 in 3 requests. */
function live(tokens: i64, refilledAt: u64 = NOW): void {
  record.clearRecord(at);
  record.setRecordToken(at, token);
  record.setRecordPlanId(at, 4);
  record.setState(at, 1);
  record.setLevelPico(at, tokens * PICO_PER_TOKEN);
  record.setRefilledAtUs(at, refilledAt);
  record.setConsumed(at, 4);
  record.setRev(at, 3);
  record.setAckedRev(at, 2);
  record.setEndsAtS(at, 4000);
}

function tokensLeft(): i64 {
  return record.levelPicoOf(at) / PICO_PER_TOKEN;
}

describe("a positive answer for a session that is new to the table", () => {
  test("a new record's level is the answer's, and no more than the plan's bucket", () => {
    fillRecord(at, token, answerOf(ANSWER_LIVE, 7), policy(), NOW);
    expect(tokensLeft()).toBe(7);
    fillRecord(at, token, answerOf(ANSWER_LIVE, 9000000), policy(), NOW);
    expect(tokensLeft()).toBe(10);
  });

  test("a provisional record keeps its level where the answer's is above the plan's bucket", () => {
    live(9);
    record.setFlag(at, FLAG_PROVISIONAL);
    confirmRecord(at, token, answerOf(ANSWER_LIVE, 9000000), policy(), NOW);
    expect(tokensLeft()).toBe(9);
  });

  test("the level of a plan that the policy lacks is the answer's", () => {
    const answer = answerOf(ANSWER_LIVE, 12);
    answer.planId = 5;
    fillRecord(at, token, answer, policy(), NOW);
    expect(tokensLeft()).toBe(12);
  });
});

describe("a positive answer for a session that the table holds", () => {
  test("a positive answer never raises the level; only the time that passed does", () => {
    live(3, NOW - 2 * SECOND);
    expect(confirmRecord(at, token, answerOf(ANSWER_LIVE), policy(), NOW)).toBe(true);
    expect(tokensLeft()).toBe(7);
    expect(record.refilledAtUsOf(at)).toBe(NOW);
    expect(record.consumedOf(at)).toBe(4);
    expect(record.revOf(at)).toBe(3);
    expect(record.ackedRevOf(at)).toBe(2);
  });

  test("a positive answer never moves the last refill back, which would credit it twice", () => {
    live(3, NOW + SECOND);
    confirmRecord(at, token, answerOf(ANSWER_LIVE), policy(), NOW);
    expect(record.refilledAtUsOf(at)).toBe(NOW + SECOND);
    expect(tokensLeft()).toBe(3);
  });

  test("a positive answer refills by its own plan where the policy lacks the record's", () => {
    live(3, NOW - 2 * SECOND);
    record.setRecordPlanId(at, 9);
    confirmRecord(at, token, answerOf(ANSWER_LIVE), policy(), NOW);
    expect(record.refilledAtUsOf(at)).toBe(NOW);
    expect(tokensLeft()).toBe(7);
    expect(record.recordPlanIdOf(at)).toBe(4);
  });

  test("a positive answer sets the session's end and clears its doubt flags", () => {
    live(3);
    record.setFlags(at, FLAG_REFRESH | FLAG_UNCONFIRMED | FLAG_BUDGET_SPENT);
    confirmRecord(at, token, answerOf(ANSWER_LIVE), policy(), NOW);
    expect(record.flagsOf(at)).toBe(0);
    expect(record.endsAtSOf(at)).toBe(4600);
  });

  test("a positive answer marks a session whose budget is spent", () => {
    live(3);
    const answer = answerOf(ANSWER_LIVE);
    answer.budgetSpent = true;
    confirmRecord(at, token, answer, policy(), NOW);
    expect(record.flagsOf(at)).toBe(FLAG_BUDGET_SPENT);
  });
});

describe("a session that was admitted unverified", () => {
  test("an unverified session begins with a full bucket and counts from 0", () => {
    writeUnverified(at, token, policy().plans[0], HOUR_MS, NOW);
    expect(tokensLeft()).toBe(10);
    expect(record.flagsOf(at)).toBe(FLAG_PROVISIONAL);
    expect(record.revOf(at) + record.ackedRevOf(at)).toBe(0);
    expect(record.endsAtSOf(at)).toBe(4600);
  });

  test("a confirmed session takes the lower level and adds its earlier report once", () => {
    live(3);
    record.setFlag(at, FLAG_PROVISIONAL);
    for (let times = 0; times < 2; times++) confirmRecord(at, token, answerOf(ANSWER_LIVE, 1), policy(), NOW);
    expect(tokensLeft()).toBe(1);
    expect(record.consumedOf(at)).toBe(34);
    expect(record.revOf(at)).toBe(8);
    expect(record.ackedRevOf(at)).toBe(5);
    expect(record.isProvisional(at)).toBe(false);
  });

  test("an unverified session that was revoked still has its figures added", () => {
    live(3);
    record.setState(at, 2);
    record.setFlags(at, FLAG_PROVISIONAL);
    expect(confirmRecord(at, token, answerOf(ANSWER_LIVE), policy(), NOW)).toBe(false);
    expect(record.isLive(at)).toBe(false);
    expect(record.consumedOf(at)).toBe(34);
    expect(record.isProvisional(at)).toBe(false);
  });
});

describe("a session that has ended", () => {
  test("a late answer does not bring an ended session back before its end", () => {
    live(3);
    endRecord(at, answerOf(ANSWER_REVOKED), NOW);
    expect(confirmRecord(at, token, answerOf(ANSWER_LIVE), policy(), NOW + 3599 * SECOND)).toBe(false);
    expect(record.isLive(at)).toBe(false);
    expect(confirmRecord(at, token, answerOf(ANSWER_LIVE), policy(), NOW + 3600 * SECOND)).toBe(true);
  });

  test("a session that ends or lives again gets a new rev", () => {
    live(3);
    endRecord(at, answerOf(ANSWER_UNKNOWN), NOW);
    expect(record.revOf(at)).toBe(4);
    confirmRecord(at, token, answerOf(ANSWER_LIVE), policy(), NOW);
    expect(record.revOf(at)).toBe(5);
    expect(tokensLeft()).toBe(3);
  });

  test("an expired session is remembered for a while, though it has no time left", () => {
    live(3);
    const answer = answerOf(ANSWER_EXPIRED);
    answer.endsInMs = 0;
    endRecord(at, answer, NOW);
    expect(record.isPastEnd(at, 1004999999)).toBe(false);
    expect(record.isPastEnd(at, 1005000000)).toBe(true);
  });

  test("a later `unknown` does not weaken the record of a session that ended for good", () => {
    live(3);
    endRecord(at, answerOf(ANSWER_REVOKED), NOW);
    endRecord(at, answerOf(ANSWER_UNKNOWN), NOW);
    expect(record.hasFlag(at, FLAG_UNCONFIRMED)).toBe(false);
    expect(record.endsAtSOf(at)).toBe(4600);
  });

  test("a session that never lived here takes its bucket from the answer", () => {
    fillRecord(at, token, answerOf(ANSWER_UNKNOWN), policy(), NOW);
    expect(record.isLive(at)).toBe(false);
    expect(confirmRecord(at, token, answerOf(ANSWER_LIVE, 6), policy(), NOW)).toBe(true);
    expect(tokensLeft()).toBe(6);
    expect(record.consumedOf(at)).toBe(30);
    expect(record.revOf(at)).toBe(5);
    expect(record.ackedRevOf(at)).toBe(5);
  });
});
