// Which strings may name a header, a plan, a table or a cluster.
import { MAX_HOST_CHARS, MAX_METHOD_CHARS, MAX_NAME_CHARS, MAX_ROUTE_HEADER_CHARS } from "../../contract";
import { isDigit, isLowerLetter, isUpperLetter, nibbleOf } from "../../memory/ascii";

const MAX_HEADER_CHARS: i32 = 64;
const MAX_COOKIE_CHARS: i32 = 64;
const MAX_CLUSTER_CHARS: i32 = 256;

export const EXPECTED_NAME: string = `a name of 1 to ${MAX_NAME_CHARS} of a-z, 0-9 and "-"`;
export const EXPECTED_HEADER: string = `a header name of 1 to ${MAX_HEADER_CHARS} characters that a client may send with a token in it`;
export const EXPECTED_COOKIE: string = `a cookie name of 1 to ${MAX_COOKIE_CHARS} of the characters that a header name may have`;
export const EXPECTED_CLUSTER: string = `1 to ${MAX_CLUSTER_CHARS} visible ASCII characters`;

/**
 * Headers that cannot carry a token: proxies read, rewrite or drop them on the way, or they hold more than one value
 * whole. `authorization` and `cookie` are sources of their own. Envoy sets `x-request-id` and all that begins with the
 * prefixes by itself, and Sluice what begins with its own.
 */
const UNFIT_HEADERS: string[] = [
  "authorization",
  "connection",
  "content-length",
  "content-type",
  "cookie",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-request-id",
];
const UNFIT_HEADER_PREFIXES: string[] = ["x-envoy-", "x-forwarded-", "x-sluice-"];

/** Of a plan or a table: it ends up in metrics, response headers and keys. */
export function isName(text: string): bool {
  if (text.length == 0 || text.length > <i32>MAX_NAME_CHARS) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (!isLowerLetter(unit) && !isDigit(unit) && unit != 0x2d) return false;
  }
  return true;
}

/** An RFC 9110 token in any case, so no pseudo header (`:path`), and none of the unfit ones. */
export function isSessionHeader(text: string): bool {
  if (!isToken(text, MAX_HEADER_CHARS)) return false;
  const name = text.toLowerCase();
  for (let i = 0; i < UNFIT_HEADER_PREFIXES.length; i++) {
    if (name.startsWith(UNFIT_HEADER_PREFIXES[i])) return false;
  }
  return !UNFIT_HEADERS.includes(name);
}

/** An RFC 6265 cookie name; its case counts. */
export function isCookieName(text: string): bool {
  return isToken(text, MAX_COOKIE_CHARS);
}

/** Of a response's header or trailer, in any case. */
export function isHeaderName(text: string): bool {
  return isToken(text, MAX_HEADER_CHARS);
}

/** Also a part of dynamic metadata's path. */
export function isCluster(text: string): bool {
  if (text.length == 0 || text.length > MAX_CLUSTER_CHARS) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x21 || unit > 0x7e) return false;
  }
  return true;
}

/** Of a route. Methods are told apart by case, and those that are registered have upper case. */
export function isMethod(text: string): bool {
  if (text.length == 0 || text.length > MAX_METHOD_CHARS) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (!isUpperLetter(unit) && !isDigit(unit) && unit != 0x2d && unit != 0x5f) return false;
  }
  return true;
}

/** A name that a route's condition may look at. A request's host has no header of that name in Envoy. */
export function isConditionHeader(text: string): bool {
  return isToken(text, MAX_HEADER_CHARS) && text.toLowerCase() != "host";
}

/** A value that a request's header may have whole: HTTP takes spaces at its ends off. */
export function isHeaderValue(text: string): bool {
  if (text.length == 0 || text.length > MAX_ROUTE_HEADER_CHARS) return false;
  if (text.startsWith(" ") || text.endsWith(" ")) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}

/** A name of labels, an address (of IPv6 in brackets), or `*.` and a name. In any case. */
export function isHostPattern(text: string): bool {
  const host = text.startsWith("*.") ? text.substring(2) : text;
  if (host.length == 0 || text.length > MAX_HOST_CHARS) return false;
  if (host.startsWith("[")) return host.length == text.length && isBracketed(host);
  let isEmpty = true;
  for (let i = 0; i < host.length; i++) {
    const unit = host.charCodeAt(i);
    const isDot = unit == 0x2e;
    if (isDot ? isEmpty : !isHostUnit(unit)) return false;
    isEmpty = isDot;
  }
  return !isEmpty;
}

function isBracketed(host: string): bool {
  if (host.length < 4 || !host.endsWith("]")) return false;
  for (let i = 1; i < host.length - 1; i++) {
    const unit = host.charCodeAt(i);
    if (nibbleOf(unit) < 0 && unit != 0x3a && unit != 0x2e) return false;
  }
  return true;
}

function isHostUnit(unit: i32): bool {
  return isLowerLetter(unit | 0x20) || isDigit(unit) || unit == 0x2d || unit == 0x5f;
}

/** RFC 9110 section 5.6.2. */
function isToken(text: string, maxChars: i32): bool {
  if (text.length == 0 || text.length > maxChars) return false;
  for (let i = 0; i < text.length; i++) {
    if (!isTokenUnit(text.charCodeAt(i))) return false;
  }
  return true;
}

/** tchar, RFC 9110 section 5.6.2. */
function isTokenUnit(unit: i32): bool {
  if (isLowerLetter(unit) || isUpperLetter(unit) || isDigit(unit)) return true;
  return unit > 0 && "!#$%&'*+-.^_`|~".includes(String.fromCharCode(unit));
}

/** A word of letters, digits and "_" that does not begin with a digit. */
export function isWord(text: string, maxChars: i32): bool {
  if (text.length == 0 || text.length > maxChars || isDigit(text.charCodeAt(0))) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (!isLowerLetter(unit | 0x20) && !isDigit(unit) && unit != 0x5f) return false;
  }
  return true;
}
