// What the control plane answers an ask of a session's fleet budget (docs/edge-protocol.md, lease): read strictly, so that
// garbage is no answer.
import { LEASE_TTL_MS, MAX_LEASE_ASKS, MAX_LIMITS_OF_PLAN, SESSION_ID_BYTES } from "../../contract";
import { utf8 } from "../../memory/bytes";
import { FIELD_ABSENT, FIELD_FOUND, getBool, getString, getU64 } from "../json/fields";
import { JSON_ARRAY, JSON_NUMBER, JSON_OBJECT, JsonNode } from "../json/node";
import { NUMBER_FITS, scaleNumber } from "../json/number";
import { readJson } from "../json/reader";
import { parseSessionId } from "../token/session-id";
import { readLog } from "./log-id";

/** Beyond any bucket: 9e12 microtokens. */
const MAX_GRANT_MICRO: u64 = 9000000000000;
/** Further than any refill: 10,000 years. */
const MAX_RETRY_AFTER_MS: u64 = 315360000000000;

export class LeaseAnswer {
  /** Whose answer it is, in both halves of the id; 0 where it stands in the answer to an acquire. */
  idFirst: u64 = 0;
  idSecond: u64 = 0;
  /** Which ask it answers. */
  ask: u32 = 0;
  /** The buckets that are granted something: empty for the plan's own, */
  names: string[] = [];
  /** and how much, in microtokens. */
  grantedMicro: i64[] = [];
  /** From when it was asked; 0: nothing is granted for longer. */
  ttlMs: u32 = 0;
  isRefused: bool = false;
  /** The bucket that has too little; empty: the plan's own. */
  refusedName: string = "";
  retryAfterMs: u64 = 0;
  /** Not 0: the ask was of a former number, and this one counts. */
  isAsk: u32 = 0;
  /** The session is not live, or not under a fleet plan any more. */
  isOver: bool = false;

  get grantsAny(): bool {
    for (let i = 0; i < this.grantedMicro.length; i++) if (this.grantedMicro[i] != 0) return true;
    return false;
  }

  /** Microtokens of a bucket. */
  grantOf(name: string): i64 {
    const at = this.names.indexOf(name);
    return at < 0 ? 0 : this.grantedMicro[at];
  }
}

export class LeaseAnswers {
  constructor(
    public log: u64,
    public leases: LeaseAnswer[],
  ) {}

  /** The answer about a session, or null if there is none. */
  answerOf(id: usize): LeaseAnswer | null {
    const leases = this.leases;
    for (let i = 0; i < leases.length; i++) {
      if (leases[i].idFirst == load<u64>(id) && leases[i].idSecond == load<u64>(id, 8)) return leases[i];
    }
    return null;
  }
}

const sessionId: usize = memory.data(SESSION_ID_BYTES, 8);

/** The answers that the body holds, or null if it is none. One that is none itself is left out. */
export function readLeaseAnswers(body: string): LeaseAnswers | null {
  const root = readJson(body).root;
  if (root === null || root.kind != JSON_OBJECT) return null;
  const log = readLog(root);
  const at = root.names.indexOf("leases");
  if (log == 0 || at < 0 || root.items[at].kind != JSON_ARRAY) return null;
  const items = root.items[at].items;
  if (<u32>items.length > MAX_LEASE_ASKS) return null;
  const leases: LeaseAnswer[] = [];
  for (let i = 0; i < items.length; i++) {
    const answer = readNamed(items[i]);
    if (answer !== null) leases.push(answer);
  }
  return new LeaseAnswers(log, leases);
}

function readNamed(node: JsonNode): LeaseAnswer | null {
  if (node.kind != JSON_OBJECT) return null;
  const id = getString(node, "session");
  if (id.state != FIELD_FOUND) return null;
  const text = utf8(id.value);
  if (!parseSessionId(changetype<usize>(text), text.byteLength, sessionId)) return null;
  const answer = readLease(node);
  if (answer === null) return null;
  answer.idFirst = load<u64>(sessionId);
  answer.idSecond = load<u64>(sessionId, 8);
  return answer;
}

/** One lease, as an answer to an acquire has it too; null if it is none. */
export function readLease(node: JsonNode): LeaseAnswer | null {
  if (node.kind != JSON_OBJECT) return null;
  const answer = new LeaseAnswer();
  const ask = getU64(node, "ask");
  if (ask.state != FIELD_FOUND || ask.value > u32.MAX_VALUE) return null;
  answer.ask = <u32>ask.value;
  const over = getBool(node, "over");
  answer.isOver = over.state == FIELD_FOUND && over.value;
  if (answer.isOver) return answer;
  const is = getU64(node, "is");
  if (is.state == FIELD_FOUND && is.value != 0 && is.value <= u32.MAX_VALUE) {
    answer.isAsk = <u32>is.value;
    return answer;
  }
  const ttl = getU64(node, "ttl");
  if (ttl.state != FIELD_FOUND && ttl.state != FIELD_ABSENT) return null;
  if (ttl.state == FIELD_FOUND) answer.ttlMs = <u32>min(ttl.value, <u64>LEASE_TTL_MS);
  return readGrants(node, answer) && readRefusal(node, answer) ? answer : null;
}

/** False: what stands there is no amounts. */
function readGrants(node: JsonNode, answer: LeaseAnswer): bool {
  const at = node.names.indexOf("granted");
  if (at < 0) return true;
  const granted = node.items[at];
  if (granted.kind != JSON_OBJECT || granted.items.length > MAX_LIMITS_OF_PLAN + 1) return false;
  for (let i = 0; i < granted.items.length; i++) {
    const item = granted.items[i];
    if (item.kind != JSON_NUMBER) return false;
    const number = scaleNumber(item.text, 0);
    if (number.state != NUMBER_FITS || number.value > MAX_GRANT_MICRO) return false;
    answer.grantedMicro.push(<i64>number.value);
  }
  answer.names = granted.names;
  return true;
}

function readRefusal(node: JsonNode, answer: LeaseAnswer): bool {
  const at = node.names.indexOf("refused");
  if (at < 0) return true;
  const refused = node.items[at];
  if (refused.kind != JSON_OBJECT) return false;
  const limit = getString(refused, "limit");
  const retryAfter = getU64(refused, "retryAfter");
  if (limit.state != FIELD_FOUND || retryAfter.state != FIELD_FOUND) return false;
  answer.isRefused = true;
  answer.refusedName = limit.value;
  answer.retryAfterMs = min(retryAfter.value, MAX_RETRY_AFTER_MS);
  return true;
}
