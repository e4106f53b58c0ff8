// What routes are matched against: the parts of a request that some route names, as its host wrote them. It lies in
// static memory: each request overwrites the one before.
import { MAX_HOST_CHARS, MAX_ROUTE_SEGMENTS } from "../../contract";
import { isDigit, lowerCase } from "../../memory/ascii";
import { sameBytes } from "../../memory/bytes";
import {
  ANY_HOST,
  HASH_START,
  HOST_WORDS,
  NAME_WORDS,
  OTHER_METHOD,
  RouteTable,
  hashByte,
  startOf,
} from "./route-table";

const SLASH: u32 = 0x2f;
const QUESTION: u32 = 0x3f;
const DOT: u32 = 0x2e;
const COLON: u32 = 0x3a;

/** Whether the request has a path that begins with "/", or one that is too long to be read. */
export const PATH_NONE: u32 = 0;
export const PATH_READ: u32 = 1;
export const PATH_TOO_LONG: u32 = 2;

// What is known of how a path can be read (ambiguous-path.ts).
export const READING_UNKNOWN: u32 = 0;
export const READING_PLAIN: u32 = 1;
export const READING_AMBIGUOUS: u32 = 2;

/** A segment: its text, its length and its hash. */
const SEGMENT_BYTES: u32 = 12;
const segments: usize = memory.data(384, 4);
/** Any host, the host itself, and one for each of its dots. */
const hostPatterns: usize = memory.data(1024, 4);


@unmanaged
export class RouteRequest {
  pathState: u32;
  /** With its query. Valid until the block that the host wrote it into is written again. */
  path: usize;
  pathBytes: u32;
  /** READING_…: whether it can be read in one way alone, once that was asked. */
  reading: u32;
  /** Segments that were cut, at most as many as the deepest pattern has. */
  segments: u32;
  /** The path goes on behind them. */
  hasMore: bool;
  /** The bit of its method, or OTHER_METHOD. */
  method: u32;
  /** Host patterns that its host meets, ANY_HOST first. */
  hostPatterns: u32;
}

const record: usize = memory.data(offsetof<RouteRequest>(), 4);

/** One of which nothing is known: it has no path, no host, and a method that no route names. */
export function newRouteRequest(): RouteRequest {
  const request = changetype<RouteRequest>(record);
  request.pathState = PATH_NONE;
  request.segments = 0;
  request.hasMore = false;
  request.method = OTHER_METHOD;
  request.hostPatterns = 1;
  store<u32>(hostPatterns, ANY_HOST);
  return request;
}

// @ts-ignore: decorator
@inline
export function segmentAt(depth: u32): usize {
  return load<u32>(segments + depth * SEGMENT_BYTES);
}

// @ts-ignore: decorator
@inline
export function segmentBytes(depth: u32): u32 {
  return load<u32>(segments + depth * SEGMENT_BYTES, 4);
}

// @ts-ignore: decorator
@inline
export function segmentHash(depth: u32): u32 {
  return load<u32>(segments + depth * SEGMENT_BYTES, 8);
}

// @ts-ignore: decorator
@inline
export function hostPatternAt(index: u32): u32 {
  return load<u32>(hostPatterns + (index << 2));
}

/** Cuts the path, up to its query, into as many segments as the deepest pattern has. */
export function takePath(request: RouteRequest, table: RouteTable, path: usize, bytes: u32): void {
  if (bytes == 0 || load<u8>(path) != SLASH) return;
  request.pathState = PATH_READ;
  request.path = path;
  request.pathBytes = bytes;
  request.reading = READING_UNKNOWN;
  const depth = min(table.depth, <u32>MAX_ROUTE_SEGMENTS);
  const end = path + bytes;
  let at = path + 1;
  let isCut = true;
  let count: u32 = 0;
  while (count < depth && isCut) {
    const start = at;
    let hash = HASH_START;
    let char: u32 = 0;
    while (at < end) {
      char = load<u8>(at);
      if (char <= QUESTION && (char == SLASH || char == QUESTION)) break;
      hash = hashByte(hash, char);
      at++;
    }
    const segment = segments + count * SEGMENT_BYTES;
    store<u32>(segment, <u32>start);
    store<u32>(segment, <u32>(at - start), 4);
    store<u32>(segment, hash, 8);
    count++;
    isCut = at < end && char == SLASH;
    at++;
  }
  request.segments = count;
  request.hasMore = isCut;
}

/** Case matters. */
export function takeMethod(request: RouteRequest, table: RouteTable, method: usize, bytes: u32): void {
  const words = table.methods;
  const count: u32 = words.length / NAME_WORDS;
  for (let i: u32 = 0; i < count; i++) {
    if (unchecked(words[i * NAME_WORDS + 1]) != bytes) continue;
    if (!sameBytes(table.textAt(unchecked(words[i * NAME_WORDS])), method, bytes)) continue;
    request.method = 1 << i;
    return;
  }
}

/**
 * Finds the patterns that a host meets, whatever its case and port.
 * @param host may be changed
 */
export function takeHost(request: RouteRequest, table: RouteTable, host: usize, bytes: u32): void {
  const length = withoutPort(host, bytes);
  if (length == 0) return;
  // No pattern is longer than MAX_HOST_CHARS, so longer suffixes need no look-up, and neither does a longer host as a whole.
  const least = length > <u32>MAX_HOST_CHARS ? length - MAX_HOST_CHARS : 0;
  let hash = HASH_START;
  let count: u32 = 1;
  for (let at = length; at > least; at--) {
    const char: u32 = lowerCase(load<u8>(host + at - 1));
    store<u8>(host + at - 1, char);
    hash = hashByte(hash, char);
    // A pattern `*.x` is looked up as `.x`, and something must stand before the dot.
    if (at == 1 || char != DOT) continue;
    count = addPattern(table, count, host + at - 1, length - at + 1, hash);
  }
  if (least == 0 && load<u8>(host) != DOT) count = addPattern(table, count, host, length, hash);
  request.hostPatterns = count;
}

function addPattern(table: RouteTable, count: u32, text: usize, bytes: u32, hash: u32): u32 {
  const words = table.hosts;
  const entries: u32 = words.length / HOST_WORDS;
  for (let tries: u32 = 0, entry = startOf(0, hash, entries); tries < entries; tries++) {
    const at = entry * HOST_WORDS;
    entry = (entry + 1) & (entries - 1);
    const pattern = unchecked(words[at]);
    if (pattern == 0) return count;
    if (unchecked(words[at + 1]) != hash || unchecked(words[at + 3]) != bytes) continue;
    if (!sameBytes(table.textAt(unchecked(words[at + 2])), text, bytes)) continue;
    store<u32>(hostPatterns + (count << 2), pattern - 1);
    return count + 1;
  }
  return count;
}

/** The length of a host without `:port`, and without the dot of a name that is complete. */
function withoutPort(host: usize, bytes: u32): u32 {
  let length = bytes;
  while (length > 0 && isDigit(load<u8>(host + length - 1))) length--;
  // A bracketed address has colons of its own, and ends with its bracket.
  length = length > 0 && load<u8>(host + length - 1) == COLON ? length - 1 : bytes;
  return length > 1 && load<u8>(host + length - 1) == DOT ? length - 1 : length;
}
