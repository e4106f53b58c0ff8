// The token of a request: it is read from the first of the policy's places that has one.
import { SOURCE_BEARER, SOURCE_HEADER } from "../../domain/policy/token-model";
import { bearerToken } from "../../domain/token/bearer";
import { findCookie, valueEnd, valueStart } from "../../domain/token/cookie";
import { decodeToken } from "../../domain/token/token";
import { TOKEN_CHARS } from "../../contract";
import { headerBytes, headerValue, readRequestHeader } from "../../host/headers";
import { LineValue, nextLine, readLongRequestHeader, readRequestLines } from "../../host/request-lines";
import { NOT_FOUND, OK } from "../../host/status";
import { fixedText } from "../../memory/bytes";
import { Request } from "../state/request";
import { TokenPlace, firstPlace, isPastLast } from "../state/token-places";

// What a place has.
/** No token, or an empty one. */
export const NO_TOKEN: u32 = 0;
/** Something that is no token. */
export const NOT_A_TOKEN: u32 = 1;
/** A token, now in the request's record. */
export const TOKEN_READ: u32 = 2;

export const COOKIE = fixedText("cookie");
const line = changetype<LineValue>(memory.data(8, 4));

/** Looks at the places in their order; each costs a host call, the cookies of an HTTP/1.1 request perhaps two. */
export function readToken(request: Request): u32 {
  const epoch = request.epoch;
  const places = epoch.tokenPlaces;
  let place = firstPlace(places);
  if (epoch.hasOneHeader) return readFromHeader(place, request.token);
  while (!isPastLast(place, places)) {
    const found = readFrom(place, request.token);
    if (found != NO_TOKEN) return found;
    place = place.next;
  }
  return NO_TOKEN;
}

function readFrom(place: TokenPlace, target: usize): u32 {
  if (place.kind == SOURCE_HEADER) return readFromHeader(place, target);
  return place.kind == SOURCE_BEARER ? readFromBearer(place, target) : readFromCookies(place, target);
}

/** The first counts where the header stands twice. A value that does not fit the arena is no token. */
function readFromHeader(place: TokenPlace, target: usize): u32 {
  const status = readRequestHeader(place.name, place.nameBytes);
  if (status == NOT_FOUND || (status == OK && headerBytes() == 0)) return NO_TOKEN;
  return takeToken(headerValue(), headerBytes(), target);
}

/** What is no Bearer token of our length is somebody else's. */
function readFromBearer(place: TokenPlace, target: usize): u32 {
  const status = readRequestHeader(place.name, place.nameBytes);
  const token = status == OK ? bearerToken(headerValue(), headerBytes()) : 0;
  return token == 0 ? NO_TOKEN : takeToken(token, TOKEN_CHARS, target);
}

/**
 * The first cookie of this name counts. Envoy joins the cookies of HTTP/2 and HTTP/3 into one line and leaves several lines
 * of HTTP/1.1 as they are, so all lines are read only where the first has no such cookie.
 */
function readFromCookies(place: TokenPlace, target: usize): u32 {
  if (readLongRequestHeader(COOKIE.address, COOKIE.bytes) != OK) return NO_TOKEN;
  let end = headerValue() + headerBytes();
  let value = findCookie(headerValue(), end, place.name, place.nameBytes);
  if (value == 0 && readRequestLines()) {
    while (value == 0 && nextLine(COOKIE.address, COOKIE.bytes, line)) {
      end = line.address + line.bytes;
      value = findCookie(line.address, end, place.name, place.nameBytes);
    }
  }
  if (value == 0) return NO_TOKEN;
  const start = valueStart(value, end);
  const stop = valueEnd(start, end);
  return stop == start ? NO_TOKEN : takeToken(start, <u32>(stop - start), target);
}

function takeToken(text: usize, chars: u32, target: usize): u32 {
  return decodeToken(text, chars, target) ? TOKEN_READ : NOT_A_TOKEN;
}
