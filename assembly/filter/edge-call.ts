// What every call to the control plane has in common: its headers, and how its body begins (docs/edge-protocol.md).
import { EDGE_CREDENTIAL_CHARS, edgeCredentialOf } from "../domain/keys";
import { sendCall } from "../host/call";
import { headerBytes, headerValue, readCallHeader } from "../host/headers";
import { OK } from "../host/status";
import { addressOf, utf8, writeAscii, writeBytes } from "../memory/bytes";
import { PAIRS_BUFFER, addFixedPair, addPair, startPairs, writePairs } from "../memory/header-pairs";
import { edgeJson, primaryKeys } from "./process";
import { Root } from "./roots";
import { writeInstance } from "./session-table";

const METHOD = utf8(":method");
const POST = utf8("POST");
const PATH = utf8(":path");
const AUTHORITY = utf8(":authority");
const CONTENT_TYPE = utf8("content-type");
const JSON_TYPE = utf8("application/json");
const AUTHORIZATION = utf8("authorization");
const STATUS = utf8(":status");

const credential: usize = memory.data(64);

/** The most that `startBody` writes: a name of 256 bytes, each as \u00xx, and the rest. */
export const BODY_START_BYTES: u32 = 2048;

/** Writes `{"edge":"gw-1","instance":"…"` at `target`. Returns the address behind it. */
export function startBody(root: Root, target: usize): usize {
  const edge = edgeJson();
  let end = writeAscii(target, '{"edge":');
  end = writeBytes(end, addressOf(edge), edge.byteLength);
  end = writeAscii(end, ',"instance":"');
  end = writeInstance(root, end);
  return writeAscii(end, '"');
}

/** Sends the body that stands from `body` to `end`. False: it was not sent, no answer will come. See `sentCallId`. */
export function post(root: Root, path: ArrayBuffer, body: usize, end: usize, timeoutMs: u32): bool {
  const cluster = root.cluster;
  const pairsBytes = writeHeaders(root, path);
  const bodyBytes = <u32>(end - body);
  const name = addressOf(cluster);
  return sendCall(name, cluster.byteLength, PAIRS_BUFFER, pairsBytes, body, bodyBytes, timeoutMs) == OK;
}

function writeHeaders(root: Root, path: ArrayBuffer): u32 {
  let end = writeAscii(credential, "Bearer ");
  end = writeBytes(end, edgeCredentialOf(primaryKeys()), EDGE_CREDENTIAL_CHARS);
  startPairs();
  addFixedPair(METHOD, POST);
  addFixedPair(PATH, path);
  addFixedPair(AUTHORITY, root.cluster);
  addFixedPair(CONTENT_TYPE, JSON_TYPE);
  addPair(addressOf(AUTHORIZATION), AUTHORIZATION.byteLength, credential, <u32>(end - credential));
  return writePairs();
}

/** Whether the answer at hand is a 200. A timeout is status 504, a refused connection 503, an overload 429. */
export function wasAnswered(): bool {
  if (readCallHeader(addressOf(STATUS), STATUS.byteLength) != OK || headerBytes() != 3) return false;
  const status = headerValue();
  return load<u8>(status) == 50 && load<u8>(status, 1) == 48 && load<u8>(status, 2) == 48; // "200"
}
