// Headers of the request, the response, and of an answer to a call.
import * as abi from "@solo-io/proxy-runtime/assembly/imports";
import { lendArena, returnArena } from "../memory/arena";
import { NOT_FOUND } from "./status";

const REQUEST_HEADERS: i32 = 0;
const RESPONSE_HEADERS: i32 = 2;
const RESPONSE_TRAILERS: i32 = 3;
const CALL_RESPONSE_HEADERS: i32 = 6;

const out: usize = memory.data(8, 4);

/**
 * Reads the first value of a request header into the arena: see `headerValue`, `headerBytes`.
 * @returns OK, NOT_FOUND, or INTERNAL_FAILURE if it does not fit
 */
export function readRequestHeader(name: usize, nameBytes: u32): u32 {
  return read(REQUEST_HEADERS, name, nameBytes);
}

/** The same into a block of the caller's, from its beginning. */
export function readRequestHeaderInto(name: usize, nameBytes: u32, block: usize, blockBytes: u32): u32 {
  lendArena(block, blockBytes);
  const status = read(REQUEST_HEADERS, name, nameBytes);
  returnArena();
  return status;
}

/** The same as readRequestHeader for a header of the response. */
export function readResponseHeader(name: usize, nameBytes: u32): u32 {
  return read(RESPONSE_HEADERS, name, nameBytes);
}

/** The same for a trailer of the response; only in its callback. */
export function readResponseTrailer(name: usize, nameBytes: u32): u32 {
  return read(RESPONSE_TRAILERS, name, nameBytes);
}

/** The same as readRequestHeader for a header of the answer to a call; only in the callback of that answer. */
export function readCallHeader(name: usize, nameBytes: u32): u32 {
  return read(CALL_RESPONSE_HEADERS, name, nameBytes);
}

function read(map: i32, name: usize, nameBytes: u32): u32 {
  store<u64>(out, 0);
  return abi.proxy_get_header_map_value(map, name, nameBytes, out, out + 4);
}

// @ts-ignore: decorator
@inline
export function headerValue(): usize {
  return load<u32>(out);
}

// @ts-ignore: decorator
@inline
export function headerBytes(): u32 {
  return load<u32>(out, 4);
}

/** Whether the response has a header of this name. */
export function hasResponseHeader(name: usize, nameBytes: u32): bool {
  return read(RESPONSE_HEADERS, name, nameBytes) != NOT_FOUND;
}

/** In place of all that the response has under this name. */
export function replaceResponseHeader(name: usize, nameBytes: u32, value: usize, valueBytes: u32): void {
  abi.proxy_replace_header_map_value(RESPONSE_HEADERS, name, nameBytes, value, valueBytes);
}

export function removeResponseHeader(name: usize, nameBytes: u32): void {
  abi.proxy_remove_header_map_value(RESPONSE_HEADERS, name, nameBytes);
}

/** In place of all that the request has under this name. Envoy then chooses the route anew, as with the other two. */
export function replaceRequestHeader(name: usize, nameBytes: u32, value: usize, valueBytes: u32): void {
  abi.proxy_replace_header_map_value(REQUEST_HEADERS, name, nameBytes, value, valueBytes);
}

export function addRequestHeader(name: usize, nameBytes: u32, value: usize, valueBytes: u32): void {
  abi.proxy_add_header_map_value(REQUEST_HEADERS, name, nameBytes, value, valueBytes);
}

/** All that the request has under this name. */
export function removeRequestHeader(name: usize, nameBytes: u32): void {
  abi.proxy_remove_header_map_value(REQUEST_HEADERS, name, nameBytes);
}
