// Amounts by bucket in the body of a call, and one ask for a lease (docs/edge-protocol.md, lease).
import { MICROTOKENS_PER_TOKEN } from "../../contract";
import { LimitTable } from "../../domain/limits/limit-table";
import { SESSION_ID_CHARS, formatSessionId } from "../../domain/token/session-id";
import { sessionIdOf } from "../../domain/token/token";
import { writeAscii, writeBytes, writeDecimal, writeSigned } from "../../memory/bytes";
import { LeaseAsk } from "../state/lease-ask";
import { BUCKETS } from "../state/lease-notes";
import { Marked, backMicro, leftMicro } from "../table/mark-lease";

/** A bucket's name in quotes, a number of 13 digits with a sign, punctuation. */
const MAX_AMOUNT_BYTES: u32 = 52;
/** `,"settled":{}` and its amounts. */
export const MAX_AMOUNTS_BYTES: u32 = 16 + BUCKETS * MAX_AMOUNT_BYTES;
/** One ask at its longest. */
export const MAX_ASK_BYTES: u32 = 112 + 5 * MAX_AMOUNTS_BYTES;

/** Of the ask that is written: u64 × BUCKETS, whole tokens that reservations did not need. */
export const settledTokens: usize = memory.data(BUCKETS * 8, 8);
const amounts: usize = memory.data(BUCKETS * 8, 8);

/**
 * Writes the ask that was marked last. Returns the end.
 * @param wanted requests that LEASE_WANT_MS sees; 0: it wants nothing
 */
export function writeAsk(at: usize, limits: LimitTable, planIndex: u32, ask: LeaseAsk, wanted: u64): usize {
  let end = writeAscii(at, '{"session":"');
  formatSessionId(sessionIdOf(ask.token), end);
  end = writeDecimal(writeAscii(end + SESSION_ID_CHARS, '","ask":'), ask.ask);
  end = writeDecimal(writeAscii(end, ',"applied":'), Marked.applied);
  end = writeAmounts(end, ',"left":{', limits, planIndex, leftMicro);
  end = writeAmounts(end, ',"back":{', limits, planIndex, backMicro);
  for (let bucket: u32 = 0; bucket < BUCKETS; bucket++) {
    const entry = bucket <= limits.furtherOf(planIndex) ? limits.limitOf(planIndex, bucket).maxTokens : 0;
    // More than a bucket holds goes back to none.
    const tokens = min(load<u64>(settledTokens + (bucket << 3)), <u64>entry);
    store<i64>(amounts + (bucket << 3), <i64>tokens * MICROTOKENS_PER_TOKEN);
  }
  end = writeAmounts(end, ',"settled":{', limits, planIndex, amounts);
  if (wanted != 0) end = writeCosts(end, ',"cost":{', limits, planIndex, ask.costs, wanted);
  return writeAscii(end, "}");
}

/**
 * `,"cost":{…},"want":{…}`: what one request takes, and so many. Returns the end.
 * @param opening what the first of the two begins with
 */
export function writeCosts(
  at: usize,
  opening: string,
  limits: LimitTable,
  planIndex: u32,
  costs: usize,
  wanted: u64,
): usize {
  takeCosts(limits, planIndex, costs, 1);
  const end = writeAmounts(at, opening, limits, planIndex, amounts);
  takeCosts(limits, planIndex, costs, wanted);
  return writeAmounts(end, ',"want":{', limits, planIndex, amounts);
}

/** What so many requests take, at most what each bucket holds. */
function takeCosts(limits: LimitTable, planIndex: u32, costs: usize, requests: u64): void {
  const further = limits.furtherOf(planIndex);
  for (let bucket: u32 = 0; bucket <= further; bucket++) {
    const most = <u64>limits.limitOf(planIndex, bucket).maxTokens;
    const tokens = min(<u64>load<u32>(costs + (bucket << 2)) * min(requests, most), most);
    store<i64>(amounts + (bucket << 3), <i64>tokens * MICROTOKENS_PER_TOKEN);
  }
}

/** Left out where all are 0. @param micro i64 × BUCKETS */
function writeAmounts(at: usize, opening: string, limits: LimitTable, planIndex: u32, micro: usize): usize {
  const further = limits.furtherOf(planIndex);
  let end = at;
  for (let bucket: u32 = 0; bucket <= further; bucket++) {
    const amount = load<i64>(micro + (bucket << 3));
    if (amount == 0) continue;
    end = writeAscii(end, end == at ? opening : ",");
    end = writeAscii(end, '"');
    const entry = limits.limitOf(planIndex, bucket);
    if (bucket != 0) end = writeBytes(end, entry.name, entry.nameBytes);
    end = writeSigned(writeAscii(end, '":'), amount);
  }
  return end == at ? at : writeAscii(end, "}");
}
