// What every call to the control plane has in common: its headers, and how its body begins (docs/edge-protocol.md).
import { HEADER_EDGE, MAX_EDGE_BODY_BYTES } from "../../contract";
import { EDGE_CREDENTIAL_CHARS, edgeCredentialOf } from "../../domain/token/keys";
import { sendCall } from "../../host/call";
import { OK } from "../../host/status";
import { addressOf, utf8, writeAscii, writeBytes } from "../../memory/bytes";
import { PAIRS_BUFFER, addFixedPair, addPair, startPairs, writePairs } from "../../memory/header-pairs";
import { noteUnsent } from "./call-outcomes";
import { addTrace } from "./trace";
import { writeInstance } from "../table/instance";
import { edgeHeader, edgeJson, primaryKeys } from "../vm/process";
import { Table } from "../state/table";

const METHOD = utf8(":method");
const POST = utf8("POST");
const PATH = utf8(":path");
const AUTHORITY = utf8(":authority");
const CONTENT_TYPE = utf8("content-type");
const JSON_TYPE = utf8("application/json");
const AUTHORIZATION = utf8("authorization");
const EDGE = utf8(HEADER_EDGE);

const credential: usize = memory.data(64);

/** The body of the call that is being written: MAX_EDGE_BODY_BYTES. It is the next call's once it is sent. */
export const callBody: usize = memory.data(MAX_EDGE_BODY_BYTES, 8);

/** The most that `startBody` writes: a name of 256 bytes, each as \u00xx, and the rest. */
export const BODY_START_BYTES: u32 = 2048;

/** Writes `{"edge":"gw-1","instance":"…"` at `target`. Returns the address behind it. */
export function startBody(table: Table, target: usize): usize {
  const edge = edgeJson();
  let end = writeAscii(target, '{"edge":');
  end = writeBytes(end, addressOf(edge), edge.byteLength);
  end = writeAscii(end, ',"instance":"');
  end = writeInstance(table, end);
  return writeAscii(end, '"');
}

/**
 * Sends the body that stands from `body` to `end`. False: it was not sent, which is counted, and no answer will come.
 * See `sentCallId`.
 * @param call which of the calls: CALL_ACQUIRE and the others
 */
export function post(table: Table, call: u32, path: ArrayBuffer, body: usize, end: usize, timeoutMs: u32): bool {
  const cluster = table.cluster;
  const pairsBytes = writeHeaders(table, path);
  const bodyBytes = <u32>(end - body);
  const name = addressOf(cluster);
  const status = sendCall(name, cluster.byteLength, PAIRS_BUFFER, pairsBytes, body, bodyBytes, timeoutMs);
  if (status != OK) noteUnsent(table, call, status);
  return status == OK;
}

function writeHeaders(table: Table, path: ArrayBuffer): u32 {
  let end = writeAscii(credential, "Bearer ");
  end = writeBytes(end, edgeCredentialOf(primaryKeys()), EDGE_CREDENTIAL_CHARS);
  startPairs();
  addFixedPair(METHOD, POST);
  addFixedPair(PATH, path);
  addFixedPair(AUTHORITY, table.cluster);
  addFixedPair(CONTENT_TYPE, JSON_TYPE);
  addFixedPair(EDGE, edgeHeader());
  addPair(addressOf(AUTHORIZATION), AUTHORIZATION.byteLength, credential, <u32>(end - credential));
  addTrace();
  return writePairs();
}
