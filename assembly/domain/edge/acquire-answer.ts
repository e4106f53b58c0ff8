// The control plane's answer to an acquire (docs/edge-protocol.md): read strictly, so that garbage is no answer.
import {
  MAX_ACQUIRE_SESSIONS,
  MAX_PLAN_ID,
  SESSION_ID_BYTES,
  STATE_EXPIRED,
  STATE_LIVE,
  STATE_REVOKED,
  STATE_UNAVAILABLE,
  STATE_UNKNOWN,
} from "../../contract";
import { utf8 } from "../../memory/bytes";
import { FIELD_FOUND, getBool, getString, getU64 } from "../json/fields";
import { NUMBER_FITS, scaleNumber } from "../json/number";
import { JSON_ARRAY, JSON_NUMBER, JSON_OBJECT, JsonNode } from "../json/node";
import { readJson } from "../json/reader";
import { parseSessionId } from "../token/session-id";
import { LeaseAnswer, readLease } from "./lease-answer";
import { readLog } from "./log-id";

export const ANSWER_LIVE: u8 = 0;
export const ANSWER_REVOKED: u8 = 1;
export const ANSWER_EXPIRED: u8 = 2;
export const ANSWER_UNKNOWN: u8 = 3;
export const ANSWER_UNAVAILABLE: u8 = 4;

/** Beyond any level: a bucket holds at most 9e12 microtokens. */
const MAX_LEVEL_MICRO: u64 = 9000000000000;
/** In place of a level. */
const NO_LEVEL: i64 = i64.MAX_VALUE;
/** Twice the longest lifetime that a policy may set. */
const MAX_ENDS_IN_MS: u64 = 630720000000;

export class AcquireAnswer {
  state: u8 = ANSWER_UNKNOWN;
  planId: u32 = 0;
  endsInMs: u64 = 0;
  /** In microtokens, at the moment of the answer; below 0 it owes. */
  levelMicro: i64 = 0;
  consumed: u64 = 0;
  rev: u32 = 0;
  budgetSpent: bool = false;
  /** Further limits that were spent from, whatever the policy here says of them, */
  limitNames: string[] = NO_NAMES;
  /** and what each holds, in microtokens at the moment of the answer. */
  limitLevelsMicro: i64[] = NO_LEVELS;
  /** What the edge may spend of the session's fleet budget; null: the call did not ask, or its plan is none of scope fleet. */
  lease: LeaseAnswer | null = null;
  /** Address of what the call said that a request takes: u32 × 8, tokens. 0: it asked for no lease. */
  leaseCosts: usize = 0;
  /** The invalidation log that the answer belongs to, and up to where it knows it. */
  log: u64 = 0;
  cursor: u64 = 0;
  /** Of the policy that the control plane gives this edge; 0 where an older one does not say. */
  generation: u64 = 0;
  /** Whose answer it is, in both halves of the id; 0 of a call's first session, which the answer does not name. */
  idFirst: u64 = 0;
  idSecond: u64 = 0;
}

/** Shared by the answers that have none; never written to. */
const NO_NAMES: string[] = [];
const NO_LEVELS: i64[] = [];

const sessionId: usize = memory.data(SESSION_ID_BYTES, 8);

/**
 * The answers that the body holds: first that of the call's first session, then those of the others that it names. Empty
 * if it is none: not JSON, a field of the first missing, of another type, out of range. Another's that is none is left out.
 */
export function readAcquireAnswers(body: string): AcquireAnswer[] {
  const answers: AcquireAnswer[] = [];
  const root = readJson(body).root;
  if (root === null) return answers;
  const first = readAnswer(root);
  if (first === null) return answers;
  answers.push(first);
  const at = root.names.indexOf("others");
  if (at < 0 || root.items[at].kind != JSON_ARRAY) return answers;
  const others = root.items[at].items;
  for (let i = 0; i < others.length && <u32>answers.length < MAX_ACQUIRE_SESSIONS; i++) {
    const answer = readNamed(others[i]);
    if (answer !== null) answers.push(answer);
  }
  return answers;
}

/** The answer about a session other than the call's first, or null if there is none. */
export function answerOf(answers: AcquireAnswer[], id: usize): AcquireAnswer | null {
  for (let i = 1; i < answers.length; i++) {
    if (answers[i].idFirst == load<u64>(id) && answers[i].idSecond == load<u64>(id, 8)) return answers[i];
  }
  return null;
}

/** Whether the body of a 400 says that the session that was asked about is none. */
export function saysNoSession(body: string): bool {
  const root = readJson(body).root;
  if (root === null || root.kind != JSON_OBJECT) return false;
  const at = root.names.indexOf("error");
  if (at < 0) return false;
  const field = getString(root.items[at], "field");
  return field.state == FIELD_FOUND && field.value == "session";
}

function readNamed(node: JsonNode): AcquireAnswer | null {
  const id = getString(node, "session");
  if (id.state != FIELD_FOUND) return null;
  const text = utf8(id.value);
  if (!parseSessionId(changetype<usize>(text), text.byteLength, sessionId)) return null;
  const answer = readAnswer(node);
  if (answer === null) return null;
  answer.idFirst = load<u64>(sessionId);
  answer.idSecond = load<u64>(sessionId, 8);
  return answer;
}

function readAnswer(root: JsonNode): AcquireAnswer | null {
  const state = getString(root, "state");
  if (state.state != FIELD_FOUND) return null;
  const answer = new AcquireAnswer();
  answer.log = readLog(root);
  const cursor = getU64(root, "cursor");
  if (answer.log == 0 || cursor.state != FIELD_FOUND) return null;
  answer.cursor = cursor.value;
  const generation = getU64(root, "generation");
  if (generation.state == FIELD_FOUND) answer.generation = generation.value;
  if (state.value == STATE_UNKNOWN) return answer;
  if (state.value == STATE_UNAVAILABLE) {
    answer.state = ANSWER_UNAVAILABLE;
    return answer;
  }
  const endsInMs = getU64(root, "endsInMs");
  if (endsInMs.state != FIELD_FOUND || endsInMs.value > MAX_ENDS_IN_MS) return null;
  answer.endsInMs = endsInMs.value;
  if (state.value == STATE_LIVE) return readLive(root, answer) ? answer : null;
  // What this instance had reported, for a record that was admitted unverified meanwhile. Absent: nothing.
  const consumed = getU64(root, "consumed");
  const rev = getU64(root, "rev");
  if (consumed.state == FIELD_FOUND) answer.consumed = consumed.value;
  if (rev.state == FIELD_FOUND && rev.value <= u32.MAX_VALUE) answer.rev = <u32>rev.value;
  if (state.value == STATE_REVOKED) answer.state = ANSWER_REVOKED;
  else if (state.value == STATE_EXPIRED) answer.state = ANSWER_EXPIRED;
  else return null;
  return answer;
}

function readLive(root: JsonNode, answer: AcquireAnswer): bool {
  const plan = getU64(root, "plan");
  const level = readLevel(root.names.indexOf("level"), root);
  const consumed = getU64(root, "consumed");
  const rev = getU64(root, "rev");
  const budgetSpent = getBool(root, "budgetSpent");
  if (plan.state != FIELD_FOUND || plan.value > MAX_PLAN_ID) return false;
  if (level == NO_LEVEL) return false;
  if (consumed.state != FIELD_FOUND) return false;
  if (rev.state != FIELD_FOUND || rev.value > u32.MAX_VALUE) return false;
  if (budgetSpent.state != FIELD_FOUND) return false;
  answer.state = ANSWER_LIVE;
  answer.planId = <u32>plan.value;
  answer.levelMicro = level;
  answer.consumed = consumed.value;
  answer.rev = <u32>rev.value;
  answer.budgetSpent = budgetSpent.value;
  const at = root.names.indexOf("lease");
  if (at >= 0) answer.lease = readLease(root.items[at]);
  return readLevels(root, answer);
}

/** False: what stands there is no levels. An older control plane says none. */
function readLevels(root: JsonNode, answer: AcquireAnswer): bool {
  const at = root.names.indexOf("levels");
  if (at < 0) return true;
  const levels = root.items[at];
  if (levels.kind != JSON_OBJECT) return false;
  answer.limitNames = levels.names;
  answer.limitLevelsMicro = new Array<i64>(levels.items.length);
  for (let i = 0; i < levels.items.length; i++) {
    const level = readLevel(i, levels);
    if (level == NO_LEVEL) return false;
    answer.limitLevelsMicro[i] = level;
  }
  return true;
}

/** The member at an index, in microtokens; below 0 it owes. NO_LEVEL: there is none, or what stands there is no level. */
function readLevel(at: i32, object: JsonNode): i64 {
  if (at < 0 || object.items[at].kind != JSON_NUMBER) return NO_LEVEL;
  const text = object.items[at].text;
  const isDebt = text.startsWith("-");
  const number = scaleNumber(isDebt ? text.substring(1) : text, 0);
  if (number.state != NUMBER_FITS || number.value > MAX_LEVEL_MICRO) return NO_LEVEL;
  return isDebt ? -(<i64>number.value) : <i64>number.value;
}
