// Which route a request has: the first of the policy's that it meets. Nothing is allocated, and no node of the table is
// looked at twice for one request.
import { sameBytes } from "../../memory/bytes";
import { TAILS, TAIL_END, TAIL_OPEN, TAIL_REST } from "../policy/path-patterns";
import { isAmbiguousPath } from "./ambiguous-path";
import {
  CONDITION_WORDS,
  EDGE_WORDS,
  EMPTY_LIST,
  HOSTED_WORDS,
  NODE_LISTS,
  NODE_LOWEST,
  NODE_WILD,
  NODE_WORDS,
  NONE,
  ROUTE_WORDS,
  RouteTable,
  startOf,
} from "./route-table";
import {
  PATH_NONE,
  PATH_READ,
  READING_AMBIGUOUS,
  READING_PLAIN,
  READING_UNKNOWN,
  RouteRequest,
  hostPatternAt,
  segmentAt,
  segmentBytes,
  segmentHash,
} from "./route-request";

/**
 * Whether the request has a header, and with this value if there is one.
 * @param header its number among the table's header names
 * @param value NONE: any
 */
export type HeaderHolds = (table: RouteTable, header: u32, value: u32, valueBytes: u32) => bool;

/** The index of the first route that the request meets, or NONE. */
export function matchRoute(table: RouteTable, request: RouteRequest, holds: HeaderHolds): u32 {
  return search(table, request, holds, 0, 0, NONE);
}

/** The lowest route of a node and of what is below it that the request meets, if it is lower than `best`; else `best`. */
function search(table: RouteTable, request: RouteRequest, holds: HeaderHolds, node: u32, depth: u32, best: u32): u32 {
  const words = table.nodes;
  const at = node * NODE_WORDS;
  if (unchecked(words[at + NODE_LOWEST]) >= best) return best;
  best = searchLists(table, request, holds, node, TAIL_OPEN, best);
  if (request.pathState != PATH_READ) return best;
  if (depth == request.segments) {
    const tail = request.hasMore ? TAIL_REST : TAIL_END;
    return searchLists(table, request, holds, node, tail, best);
  }
  best = searchLists(table, request, holds, node, TAIL_REST, best);
  const child = childOf(table, node, depth);
  if (child != NONE) best = search(table, request, holds, child, depth + 1, best);
  const wild = unchecked(words[at + NODE_WILD]);
  if (wild == NONE || segmentBytes(depth) == 0) return best;
  return search(table, request, holds, wild, depth + 1, best);
}

function childOf(table: RouteTable, node: u32, depth: u32): u32 {
  const words = table.edges;
  const entries: u32 = words.length / EDGE_WORDS;
  const hash = segmentHash(depth);
  for (let tries: u32 = 0, entry = startOf(node, hash, entries); tries < entries; tries++) {
    const at = entry * EDGE_WORDS;
    entry = (entry + 1) & (entries - 1);
    const owner = unchecked(words[at]);
    if (owner == 0) return NONE;
    if (owner != node + 1 || unchecked(words[at + 1]) != hash) continue;
    const bytes = segmentBytes(depth);
    if (unchecked(words[at + 3]) != bytes) continue;
    if (sameBytes(table.textAt(unchecked(words[at + 2])), segmentAt(depth), bytes)) return unchecked(words[at + 4]);
  }
  return NONE;
}

/** The same among the routes of a node and tail: those for any host, and those for each pattern that the request's host meets. */
function searchLists(
  table: RouteTable,
  request: RouteRequest,
  holds: HeaderHolds,
  node: u32,
  tail: u32,
  best: u32,
): u32 {
  const list = unchecked(table.nodes[node * NODE_WORDS + NODE_LISTS + tail]);
  if (list != EMPTY_LIST) best = searchList(table, request, holds, list, best);
  const patterns = request.hostPatterns;
  for (let i: u32 = 1; i < patterns; i++) {
    const hosted = hostedList(table, node * TAILS + tail, hostPatternAt(i));
    if (hosted != NONE) best = searchList(table, request, holds, hosted, best);
  }
  return best;
}

function hostedList(table: RouteTable, nodeAndTail: u32, pattern: u32): u32 {
  const words = table.hosted;
  const entries: u32 = words.length / HOSTED_WORDS;
  for (let tries: u32 = 0, entry = startOf(nodeAndTail, pattern, entries); tries < entries; tries++) {
    const at = entry * HOSTED_WORDS;
    entry = (entry + 1) & (entries - 1);
    const list = unchecked(words[at]);
    if (list == 0) return NONE;
    if (unchecked(words[at + 1]) == nodeAndTail && unchecked(words[at + 2]) == pattern) return list - 1;
  }
  return NONE;
}

/** The lists are ascending: the first that the request meets is the one. */
function searchList(table: RouteTable, request: RouteRequest, holds: HeaderHolds, list: u32, best: u32): u32 {
  const lists = table.lists;
  const end: u32 = lists.length;
  for (let at = list; at < end; at++) {
    const route = unchecked(lists[at]);
    // NONE, which ends the list, is above the number of any route.
    if (route >= best) return best;
    if (meetsRest(table, request, holds, route)) return route;
  }
  return best;
}

/** Whether a request that meets a route's path and host has its method and headers, and a plain path where it must be one. */
function meetsRest(table: RouteTable, request: RouteRequest, holds: HeaderHolds, route: u32): bool {
  const words = table.routes;
  const at = route * ROUTE_WORDS;
  if ((unchecked(words[at + 3]) & request.method) == 0) return false;
  if (unchecked(words[at + 2]) != 0 && !hasOneReading(request)) return false;
  const first = unchecked(words[at + 4]);
  const end = first + unchecked(words[at + 5]);
  for (let condition = first; condition < end; condition++) {
    const word = condition * CONDITION_WORDS;
    const conditions = table.conditions;
    const value = unchecked(conditions[word + 1]);
    if (!holds(table, unchecked(conditions[word]), value, unchecked(conditions[word + 2]))) return false;
  }
  return true;
}

/** A path that was not read may be any. */
function hasOneReading(request: RouteRequest): bool {
  if (request.pathState == PATH_NONE) return true;
  if (request.pathState != PATH_READ) return false;
  // Looked at once a request: it may have 60 KiB, and many routes may ask.
  if (request.reading == READING_UNKNOWN) {
    request.reading = isAmbiguousPath(request.path, request.pathBytes) ? READING_AMBIGUOUS : READING_PLAIN;
  }
  return request.reading == READING_PLAIN;
}
