// The form in which the client of a request reads an answer: plain HTTP, gRPC or gRPC-Web, by the content type of the
// request. The Connect protocol is none of them: it reads HTTP statuses.
import { isUpperLetter, lowerCase } from "../../memory/ascii";

export const FORM_HTTP: u32 = 0;
/** gRPC: the status stands in headers. */
export const FORM_GRPC: u32 = 1;
/** gRPC-Web: the status stands in a frame of the body. */
export const FORM_GRPC_WEB: u32 = 2;
/** The same in base64. */
export const FORM_GRPC_WEB_TEXT: u32 = 3;

const GRPC: string = "application/grpc";
const WEB: string = "-web";
const TEXT: string = "-text";
const PLUS: u8 = 0x2b;

/** Of a content type of `bytes` bytes at `text`. */
export function answerFormOf(text: usize, bytes: u32): u32 {
  let at = lengthOf(GRPC);
  if (!startsWith(text, bytes, GRPC)) return FORM_HTTP;
  // As Envoy has it, which makes the gRPC answer: in lower case, and without parameters.
  if (isLowerCase(text, at) && (bytes == at || load<u8>(text + at) == PLUS)) return FORM_GRPC;
  if (!startsWith(text + at, bytes - at, WEB)) return FORM_HTTP;
  at += lengthOf(WEB);
  let form = FORM_GRPC_WEB;
  if (startsWith(text + at, bytes - at, TEXT)) {
    at += lengthOf(TEXT);
    form = FORM_GRPC_WEB_TEXT;
  }
  return bytes == at || endsType(load<u8>(text + at)) ? form : FORM_HTTP;
}

function lengthOf(word: string): u32 {
  return <u32>word.length;
}

/** A suffix (`+proto`) or a parameter follows. */
function endsType(char: u8): bool {
  return char == PLUS || char == 0x3b || char == 0x20 || char == 0x09;
}

/** In any case; `word` is in lower case. */
function startsWith(text: usize, bytes: u32, word: string): bool {
  const length = lengthOf(word);
  if (bytes < length) return false;
  for (let i: u32 = 0; i < length; i++) {
    if (lowerCase(load<u8>(text + i)) != load<u8>(changetype<usize>(word) + (i << 1))) return false;
  }
  return true;
}

function isLowerCase(text: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    if (isUpperLetter(load<u8>(text + i))) return false;
  }
  return true;
}
