// What a client of gRPC or gRPC-Web reads of an answer, written into static buffers when one is denied.
import { FORM_GRPC, FORM_GRPC_WEB, FORM_GRPC_WEB_TEXT } from "../../domain/grpc/answer-form";
import { writeBase64, writeWebTrailers } from "../../domain/grpc/web-trailers";
import { utf8, writeAscii, writeDecimal } from "../../memory/bytes";
import { addFixedPair, addPair } from "../../memory/header-pairs";
import { CONTENT_TYPE, Denial } from "../state/denial";

const GRPC = utf8("application/grpc");
const GRPC_WEB = utf8("application/grpc-web+proto");
const GRPC_WEB_TEXT = utf8("application/grpc-web-text+proto");
const GRPC_STATUS = utf8("grpc-status");
const GRPC_MESSAGE = utf8("grpc-message");

/** What is wrong stands elsewhere. */
export const GRPC_HTTP_STATUS: u32 = 200;

/** The longest: a message of the contract and some 40 bytes. */
const trailers: usize = memory.data(128);
/** The same in base64. */
const trailersText: usize = memory.data(176);
const status: usize = memory.data(8);
const message: usize = memory.data(64);

/** Notes the pairs that each answer of the form has. */
export function addGrpcPairs(form: u32, denial: Denial): void {
  if (form != FORM_GRPC) {
    addFixedPair(CONTENT_TYPE, form == FORM_GRPC_WEB ? GRPC_WEB : GRPC_WEB_TEXT);
    return;
  }
  addFixedPair(CONTENT_TYPE, GRPC);
  // Not as a body, of which Envoy would make a message: with its filter for gRPC-Web ahead of this one it does not know
  // that the request is one of gRPC. That filter completes an answer without a body.
  addText(GRPC_STATUS, status, writeDecimal(status, denial.grpcStatus));
  addText(GRPC_MESSAGE, message, writeAscii(message, denial.message));
}

/** Writes the body: see `grpcBody`. Returns its length. */
export function writeGrpcBody(form: u32, denial: Denial): u32 {
  if (form == FORM_GRPC) return 0;
  const bytes = <u32>(writeWebTrailers(trailers, denial.grpcStatus, denial.message) - trailers);
  return form == FORM_GRPC_WEB_TEXT ? <u32>(writeBase64(trailersText, trailers, bytes) - trailersText) : bytes;
}

export function grpcBody(form: u32): usize {
  return form == FORM_GRPC_WEB_TEXT ? trailersText : trailers;
}

function addText(name: ArrayBuffer, text: usize, end: usize): void {
  addPair(changetype<usize>(name), name.byteLength, text, <u32>(end - text));
}
