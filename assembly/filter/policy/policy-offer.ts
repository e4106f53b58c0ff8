// A policy has come on the watch: its bytes are the whole body, and headers say what they are. The leader keeps them for
// every VM of this Envoy and rings the bell.
import {
  HEADER_GENERATION,
  HEADER_LOG,
  HEADER_POLICY_HASH,
  HEADER_REPORT_SPREAD,
  MAX_EDGE_ANSWER_BYTES,
} from "../../contract";
import { callResponseBytes } from "../../host/buffers";
import { headerBytes, headerValue, readCallHeader } from "../../host/headers";
import { OK } from "../../host/status";
import { readDecimal, readHexU64 } from "../../memory/digits";
import { addressOf, utf8 } from "../../memory/bytes";
import { ring } from "./bell";
import { hashOfBytes } from "../state/epoch";
import { NO_LOG, followLog } from "../table/log-cursor";
import { POLICY_NAME_BYTES, writePolicyBytes } from "./policy-bytes";
import { Table } from "../state/table";

const LOG = utf8(HEADER_LOG);
const GENERATION = utf8(HEADER_GENERATION);
const HASH = utf8(HEADER_POLICY_HASH);
const SPREAD = utf8(HEADER_REPORT_SPREAD);
/** An hour: longer than any report interval. */
const MAX_SPREAD_MS: u64 = 3600000;

// The results of an offer.
export const OFFER_KEPT: u32 = 0;
/** The edge follows another log, or knows of a newer policy: it may be offered again. */
export const OFFER_OUTDATED: u32 = 1;
/** It is not what its headers say. */
export const OFFER_MALFORMED: u32 = 2;

/** Whether the answer at hand is a policy. */
export function isPolicyAnswer(): bool {
  return readCallHeader(addressOf(GENERATION), GENERATION.byteLength) == OK && headerBytes() > 0;
}

/** Keeps the policy at hand: the answer to the watch that is noted in `table.watching`. */
export function takeOffer(table: Table, bodyBytes: u32): u32 {
  const generation = decimalHeader(GENERATION);
  const log = hexHeader(LOG);
  const hash = hexHeader(HASH);
  if (generation == 0 || log == NO_LOG || hash == 0) return OFFER_MALFORMED;
  if (bodyBytes == 0 || bodyBytes > MAX_EDGE_ANSWER_BYTES) return OFFER_MALFORMED;
  const spreadMs = <u32>min(decimalHeader(SPREAD), MAX_SPREAD_MS);
  const block = callResponseBytes(bodyBytes, POLICY_NAME_BYTES);
  if (block == null) return OFFER_MALFORMED;
  if (hashOfBytes(changetype<usize>(block) + POLICY_NAME_BYTES, bodyBytes) != hash) return OFFER_MALFORMED;
  // A policy of another log comes before the reset that is due to that log.
  const watching = table.watching;
  if (!followLog(table, log, watching.sentLog, watching.sentSeenLog)) return OFFER_OUTDATED;
  // The bytes first: a VM that reads the bell finds them.
  if (!writePolicyBytes(table, block, bodyBytes, log, generation, hash)) return OFFER_OUTDATED;
  return ring(table, log, generation, hash, bodyBytes, spreadMs) ? OFFER_KEPT : OFFER_OUTDATED;
}

/** The value of a header of 16 hex digits; 0 if it is none. */
function hexHeader(name: ArrayBuffer): u64 {
  if (readCallHeader(addressOf(name), name.byteLength) != OK) return 0;
  return readHexU64(headerValue(), headerBytes());
}

/** The value of a header of decimal digits; 0 if it is none. */
function decimalHeader(name: ArrayBuffer): u64 {
  if (readCallHeader(addressOf(name), name.byteLength) != OK) return 0;
  return readDecimal(headerValue(), headerBytes());
}
