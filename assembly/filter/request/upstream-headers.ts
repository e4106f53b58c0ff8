// What the service sees of a session: its token may be taken out of the request, and its id and plan put in. Changing a
// header has Envoy choose the route anew (docs/requests.md, "What the service sees").
import { SOURCE_BEARER, SOURCE_HEADER } from "../../domain/policy/token-model";
import { holdsBearerToken } from "../../domain/token/bearer";
import { cutCookie, findCookie } from "../../domain/token/cookie";
import { SESSION_ID_CHARS, formatSessionId } from "../../domain/token/session-id";
import { sessionIdOf } from "../../domain/token/token";
import {
  addRequestHeader,
  headerBytes,
  headerValue,
  removeRequestHeader,
  replaceRequestHeader,
} from "../../host/headers";
import { LineValue, nextLine, readLongRequestHeader, readRequestLines, rewindLines } from "../../host/request-lines";
import { NOT_FOUND, OK } from "../../host/status";
import { fixedText } from "../../memory/bytes";
import { Request } from "../state/request";
import { TokenPlace, firstPlace, isPastLast } from "../state/token-places";
import { COOKIE } from "./read-token";
import { Verdict, knowsPlan, knowsSession } from "./verdict";

const SESSION_HEADER = fixedText("x-sluice-session");
const PLAN_HEADER = fixedText("x-sluice-plan");
const line = changetype<LineValue>(memory.data(8, 4));
const sessionText: usize = memory.data(36);

/** Takes tokens out of every place where the policy looks for them: what was not looked at is a token all the same. */
export function removeTokens(request: Request): void {
  const places = request.epoch.tokenPlaces;
  for (let place = firstPlace(places); !isPastLast(place, places); place = place.next) removeFrom(place);
}

/** Says the session and its plan, where they are known, in place of what the client has sent under these names. */
export function setIdentity(request: Request, verdict: Verdict): void {
  if (knowsSession(verdict)) {
    formatSessionId(sessionIdOf(request.token), sessionText);
    replaceRequestHeader(SESSION_HEADER.address, SESSION_HEADER.bytes, sessionText, SESSION_ID_CHARS);
  } else {
    removeRequestHeader(SESSION_HEADER.address, SESSION_HEADER.bytes);
  }
  if (knowsPlan(verdict)) {
    const plan = unchecked(request.epoch.plans[verdict.planIndex]);
    replaceRequestHeader(PLAN_HEADER.address, PLAN_HEADER.bytes, plan.name, plan.nameBytes);
  } else {
    removeRequestHeader(PLAN_HEADER.address, PLAN_HEADER.bytes);
  }
}

function removeFrom(place: TokenPlace): void {
  if (place.kind == SOURCE_HEADER) removeRequestHeader(place.name, place.nameBytes);
  else if (place.kind != SOURCE_BEARER) removeCookie(place);
  else if (mayHoldToken(place)) removeRequestHeader(place.name, place.nameBytes);
}

/**
 * Of an Authorization header, which goes as a whole: several credentials in one are none (RFC 9110 section 11.6.2). One that
 * cannot be read, being longer than 64 KiB, goes with the token that may be in it.
 */
function mayHoldToken(place: TokenPlace): bool {
  const status = readLongRequestHeader(place.name, place.nameBytes);
  if (status == NOT_FOUND) return false;
  return status != OK || holdsBearerToken(headerValue(), headerBytes());
}

/** Cookies that cannot be read, being longer than 64 KiB in all, go with the token that may be among them. */
function removeCookie(place: TokenPlace): void {
  const readable = readRequestLines();
  if (readable && !hasCookie(place)) return;
  removeRequestHeader(COOKIE.address, COOKIE.bytes);
  if (readable) addOtherCookies(place);
}

function hasCookie(place: TokenPlace): bool {
  while (nextLine(COOKIE.address, COOKIE.bytes, line)) {
    if (findCookie(line.address, line.address + line.bytes, place.name, place.nameBytes) != 0) return true;
  }
  return false;
}

/** Puts the lines back without this cookie; a line that held nothing else is none. */
function addOtherCookies(place: TokenPlace): void {
  rewindLines();
  while (nextLine(COOKIE.address, COOKIE.bytes, line)) {
    const at = line.address;
    const end = cutCookie(at, at + line.bytes, place.name, place.nameBytes);
    if (end != at) addRequestHeader(COOKIE.address, COOKIE.bytes, at, <u32>(end - at));
  }
}
