// A JSON Pointer (RFC 6901), laid out for the reader that follows it (json-usage.ts).
import { addressOf } from "../../memory/bytes";

//   u32 number of reference tokens; for each: u32 offset of its bytes, u32 how many, u32 the index that it is; the bytes
const HEAD_BYTES: i32 = 4;
const TOKEN_BYTES: i32 = 12;

/** Stands as an index where the token names no element of an array. */
const NO_INDEX: u32 = 0xffffffff;
/** No array that is read has as many elements. */
const MAX_INDEX_DIGITS: i32 = 9;

/** @param pointer valid, with one reference token at least */
export function compilePointer(pointer: string): ArrayBuffer {
  const tokens = pointer.substring(1).split("/");
  const texts = new Array<ArrayBuffer>();
  let size = HEAD_BYTES + tokens.length * TOKEN_BYTES;
  for (let i = 0; i < tokens.length; i++) {
    const text = String.UTF8.encode(tokens[i].replaceAll("~1", "/").replaceAll("~0", "~"));
    texts.push(text);
    size += text.byteLength;
  }
  const compiled = new ArrayBuffer(size);
  const at = addressOf(compiled);
  store<u32>(at, tokens.length);
  let offset = HEAD_BYTES + tokens.length * TOKEN_BYTES;
  for (let i = 0; i < tokens.length; i++) {
    const entry = at + HEAD_BYTES + i * TOKEN_BYTES;
    const text = texts[i];
    store<u32>(entry, offset);
    store<u32>(entry, text.byteLength, 4);
    store<u32>(entry, indexOf(tokens[i]), 8);
    memory.copy(at + offset, addressOf(text), text.byteLength);
    offset += text.byteLength;
  }
  return compiled;
}

/** RFC 6901, section 4: "0", or digits without a leading zero. */
function indexOf(token: string): u32 {
  if (token.length == 0 || token.length > MAX_INDEX_DIGITS) return NO_INDEX;
  if (token.length > 1 && token.charCodeAt(0) == 0x30) return NO_INDEX;
  let index: u32 = 0;
  for (let i = 0; i < token.length; i++) {
    const digit = token.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return NO_INDEX;
    index = index * 10 + digit;
  }
  return index;
}

// @ts-ignore: decorator
@inline
export function tokenCount(pointer: usize): u32 {
  return load<u32>(pointer);
}

/** Whether the token names this element of an array. */
// @ts-ignore: decorator
@inline
export function isIndex(pointer: usize, token: u32, index: u32): bool {
  return load<u32>(pointer + HEAD_BYTES + token * TOKEN_BYTES, 8) == index && index != NO_INDEX;
}

// @ts-ignore: decorator
@inline
export function tokenBytes(pointer: usize, token: u32): u32 {
  return load<u32>(pointer + HEAD_BYTES + token * TOKEN_BYTES, 4);
}

/** Where the bytes of a token are. */
// @ts-ignore: decorator
@inline
export function tokenText(pointer: usize, token: u32): usize {
  return pointer + load<u32>(pointer + HEAD_BYTES + token * TOKEN_BYTES);
}
