// The control plane's answer to an acquire (docs/edge-protocol.md): read strictly, so that garbage is no answer.
import { MAX_PLAN_ID, STATE_EXPIRED, STATE_LIVE, STATE_REVOKED, STATE_UNKNOWN } from "../../contract";
import { FIELD_FOUND, getBool, getString, getU64 } from "../json/fields";
import { JsonNode } from "../json/node";
import { readJson } from "../json/reader";
import { readLog } from "./log-id";

export const ANSWER_LIVE: u8 = 0;
export const ANSWER_REVOKED: u8 = 1;
export const ANSWER_EXPIRED: u8 = 2;
export const ANSWER_UNKNOWN: u8 = 3;

/** Beyond any level: a bucket holds at most 9e12 microtokens. */
const MAX_LEVEL_MICRO: u64 = 9000000000000;
/** Twice the longest lifetime that a policy may set. */
const MAX_ENDS_IN_MS: u64 = 630720000000;

export class AcquireAnswer {
  state: u8 = ANSWER_UNKNOWN;
  planId: u32 = 0;
  endsInMs: u64 = 0;
  /** In microtokens, at the moment of the answer. */
  levelMicro: i64 = 0;
  consumed: u64 = 0;
  rev: u32 = 0;
  budgetSpent: bool = false;
  /** The invalidation log that the answer belongs to, and up to where it knows it. */
  log: u64 = 0;
  cursor: u64 = 0;
  /** Of the policy that the control plane gives this edge; 0 where an older one does not say. */
  generation: u64 = 0;
}

/** The answer that the body holds, or null if it is none: not JSON, a field missing, of another type, out of range. */
export function readAcquireAnswer(body: string): AcquireAnswer | null {
  const root = readJson(body).root;
  if (root === null) return null;
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
  const level = getU64(root, "level");
  const consumed = getU64(root, "consumed");
  const rev = getU64(root, "rev");
  const budgetSpent = getBool(root, "budgetSpent");
  if (plan.state != FIELD_FOUND || plan.value > MAX_PLAN_ID) return false;
  if (level.state != FIELD_FOUND || level.value > MAX_LEVEL_MICRO) return false;
  if (consumed.state != FIELD_FOUND) return false;
  if (rev.state != FIELD_FOUND || rev.value > u32.MAX_VALUE) return false;
  if (budgetSpent.state != FIELD_FOUND) return false;
  answer.state = ANSWER_LIVE;
  answer.planId = <u32>plan.value;
  answer.levelMicro = <i64>level.value;
  answer.consumed = consumed.value;
  answer.rev = <u32>rev.value;
  answer.budgetSpent = budgetSpent.value;
  return true;
}
