// Asking the control plane for a session: building the call, and who waits for which.
import { PATH_ACQUIRE } from "../contract";
import { EDGE_CREDENTIAL_CHARS, edgeCredentialOf } from "../domain/keys";
import { formatSessionId } from "../domain/session-id";
import { sessionIdOf } from "../domain/token";
import { sendCall, sentCallId } from "../host/call";
import { monotonicUs } from "../host/clock";
import { randomU64 } from "../host/random";
import { OK } from "../host/status";
import { addressOf, utf8, writeAscii, writeBytes } from "../memory/bytes";
import { PAIRS_BUFFER, addFixedPair, addPair, startPairs, writePairs } from "../memory/header-pairs";
import { NONE, addWaiter, findCall, freeCall, hasRoomToWait, openCall } from "./calls";
import { edgeJson, primaryKeys } from "./process";
import { Root } from "./roots";
import { writeInstance } from "./session-table";

const SESSION_ID_CHARS: u32 = 36;
/** After a failure, between one and two times this: a session that could go on without an answer does. */
const BACKOFF_US: u64 = 500000;

const METHOD = utf8(":method");
const POST = utf8("POST");
const PATH = utf8(":path");
const ACQUIRE = utf8(PATH_ACQUIRE);
const AUTHORITY = utf8(":authority");
const CONTENT_TYPE = utf8("content-type");
const JSON_TYPE = utf8("application/json");
const AUTHORIZATION = utf8("authorization");

const credential: usize = memory.data(64);
/** The edge's name in JSON is at most 6 × 256 bytes and two quotes. */
const body: usize = memory.data(2048);

/** Until then a record that stands is used as it stands. */
let askAgainAtUs: u64 = 0;

/**
 * Lets a request wait for an answer about its session, sending the call if none is out.
 * @param mayInsert no record stood when the table was read, at `askedAtUs`
 * @param asks how often this request has asked, this time included
 * @returns false if it cannot be asked: too many calls are out or requests waiting, or the call was not sent
 */
export function askFor(root: Root, contextId: u32, token: usize, mayInsert: bool, askedAtUs: u64, asks: u32): bool {
  if (!hasRoomToWait()) return false;
  let call = findCall(root.id, token);
  if (call == NONE) call = startCall(root, token, mayInsert, askedAtUs);
  return call != NONE && addWaiter(call, contextId, token, asks);
}

/** Sends an acquire that nobody waits for yet. Returns the call, or NONE if it cannot be sent. */
export function startCall(root: Root, token: usize, mayInsert: bool, askedAtUs: u64): u32 {
  const call = freeCall();
  if (call == NONE) return NONE;
  const bodyBytes = writeBody(root, token);
  const pairsBytes = writeCallHeaders(root);
  const cluster = root.cluster;
  const sent = sendCall(
    addressOf(cluster),
    cluster.byteLength,
    PAIRS_BUFFER,
    pairsBytes,
    body,
    bodyBytes,
    root.policy.acquireTimeoutMs,
  );
  if (sent != OK) return NONE;
  openCall(call, sentCallId(), root.id, token, mayInsert, askedAtUs);
  return call;
}

/** {"edge":"gw-1","instance":"…","session":"…"}. Returns its length. */
function writeBody(root: Root, token: usize): u32 {
  const edge = edgeJson();
  let end = writeAscii(body, '{"edge":');
  end = writeBytes(end, addressOf(edge), edge.byteLength);
  end = writeAscii(end, ',"instance":"');
  end = writeInstance(root, end);
  end = writeAscii(end, '","session":"');
  formatSessionId(sessionIdOf(token), end);
  end = writeAscii(end + SESSION_ID_CHARS, '"}');
  return <u32>(end - body);
}

function writeCallHeaders(root: Root): u32 {
  let end = writeAscii(credential, "Bearer ");
  end = writeBytes(end, edgeCredentialOf(primaryKeys()), EDGE_CREDENTIAL_CHARS);
  startPairs();
  addFixedPair(METHOD, POST);
  addFixedPair(PATH, ACQUIRE);
  addFixedPair(AUTHORITY, root.cluster);
  addFixedPair(CONTENT_TYPE, JSON_TYPE);
  addPair(addressOf(AUTHORIZATION), AUTHORIZATION.byteLength, credential, <u32>(end - credential));
  return writePairs();
}

/** The control plane did not answer: for a short while records that stand are not asked about. */
export function noteUnreachable(): void {
  askAgainAtUs = monotonicUs() + BACKOFF_US + (randomU64() % BACKOFF_US);
}

export function noteReachable(): void {
  askAgainAtUs = 0;
}

export function shouldHoldBack(): bool {
  return askAgainAtUs != 0 && monotonicUs() < askAgainAtUs;
}
