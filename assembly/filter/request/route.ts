// The route of a request: what it costs, whether it is exempt, and how much is enforced. Of the request only what some route
// of the policy names is read.
import { MAX_MATCHED_BYTES, MAX_ROUTE_HEADER_CHARS } from "../../contract";
import { matchRoute } from "../../domain/routes/match-route";
import {
  PATH_TOO_LONG,
  RouteRequest,
  newRouteRequest,
  takeHost,
  takeMethod,
  takePath,
} from "../../domain/routes/route-request";
import { NAME_WORDS, NONE, RouteTable } from "../../domain/routes/route-table";
import { SettleRules } from "../../domain/usage/settle-rules";
import { headerBytes, readRequestHeaderInto } from "../../host/headers";
import { NOT_FOUND, OK } from "../../host/status";
import { addressOf, sameBytes, utf8 } from "../../memory/bytes";
import { Request } from "../state/request";

/** Three names in one string: the garbage collector visits each object that is kept, after every answer of the control plane. */
const NAMES = utf8(":authority:method:path");
const AUTHORITY_AT: u32 = 0;
const METHOD_AT: u32 = 10;
const PATH_AT: u32 = 17;
const NAMES_END: u32 = 22;

/**
 * Where the host writes one of them after the other. Host and method are looked up as soon as they are read, so that the next
 * may overwrite them; the path, read last, stays while routes are compared with it.
 */
const block: usize = memory.data(65536);

// The headers that routes name. Each is read once for a request, when a route that matches otherwise names it.
/** MAX_ROUTE_HEADER_NAMES values of MAX_ROUTE_HEADER_CHARS. */
const values: usize = memory.data(4096);
/** The length of each: a u32, or one of these. */
const lengths: usize = memory.data(64, 4);
const ABSENT: u32 = 0xffffffff;
const TOO_LONG: u32 = 0xfffffffe;
/** A bit for each header that was read for this request. */
let headersRead: u32 = 0;

/** Notes what the request's route says, if it has one. True: it is exempt. */
export function takeRoute(request: Request, table: RouteTable, settles: SettleRules | null): bool {
  const matched = newRouteRequest();
  if (table.needsHost) readHost(matched, table);
  if (table.needsMethod) readMethod(matched, table);
  if (table.needsPath) readPath(matched, table);
  headersRead = 0;
  const route = matchRoute(table, matched, headerHolds);
  if (route == NONE) return false;
  if (table.isExempt(route)) return true;
  request.cost = table.costOf(route);
  request.limitCosts = table.limitCostsOf(route);
  request.enforcement = table.enforcementOf(route);
  if (settles !== null) request.settleRule = settles.ofRoute(route);
  return false;
}

/** A host that is longer than the block counts as none: no pattern is so long. */
function readHost(matched: RouteRequest, table: RouteTable): void {
  if (read(AUTHORITY_AT, METHOD_AT) == OK) takeHost(matched, table, block, headerBytes());
}

function readMethod(matched: RouteRequest, table: RouteTable): void {
  if (read(METHOD_AT, PATH_AT) == OK) takeMethod(matched, table, block, headerBytes());
}

function readPath(matched: RouteRequest, table: RouteTable): void {
  const status = read(PATH_AT, NAMES_END);
  if (status == OK) takePath(matched, table, block, headerBytes());
  else if (status != NOT_FOUND) matched.pathState = PATH_TOO_LONG;
}

function read(from: u32, to: u32): u32 {
  return readRequestHeaderInto(addressOf(NAMES) + from, to - from, block, MAX_MATCHED_BYTES);
}

function headerHolds(table: RouteTable, header: u32, value: u32, valueBytes: u32): bool {
  const text = values + header * MAX_ROUTE_HEADER_CHARS;
  const bit: u32 = 1 << header;
  if ((headersRead & bit) == 0) {
    headersRead |= bit;
    readHeaderInto(table, header, text);
  }
  const bytes = load<u32>(lengths + (header << 2));
  if (value == NONE) return bytes != ABSENT;
  return bytes == valueBytes && sameBytes(text, table.textAt(value), valueBytes);
}

function readHeaderInto(table: RouteTable, header: u32, text: usize): void {
  const words = table.headerNames;
  const name = table.textAt(unchecked(words[header * NAME_WORDS]));
  const status = readRequestHeaderInto(name, unchecked(words[header * NAME_WORDS + 1]), text, MAX_ROUTE_HEADER_CHARS);
  const bytes = status == OK ? headerBytes() : status == NOT_FOUND ? ABSENT : TOO_LONG;
  store<u32>(lengths + (header << 2), bytes);
}
