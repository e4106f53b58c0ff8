// Reads the URL of a Redis or Valkey. What is wrong is named by its place; nothing that may be a password is repeated.
import { isIP, isIPv6 } from "node:net";

import type { ServerAddress } from "../store/store-address.js";
import { MAX_PORT } from "./environment.js";

export interface StoreUrl {
  readonly isTls: boolean;
  /** Null: the URL names no Sentinel, and `hosts` is the one server. */
  readonly master: string | null;
  readonly hosts: readonly ServerAddress[];
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
}

export type StoreUrlReading =
  | { readonly ok: true; readonly url: StoreUrl }
  /** Such as "expected …": follows the name of what held the URL. */
  | { readonly ok: false; readonly violation: string };

export const STORE_SCHEMES = "redis://, rediss://, redis+sentinel:// or rediss+sentinel://";
const SCHEME = /^(rediss?)(\+sentinel)?:\/\//;
const SERVER_PORT = 6379;
const SENTINEL_PORT = 26_379;
/** Servers are told how many they have; none is told so many. */
const MAX_DATABASE = 99_999;
const HOST_NAME = /^[A-Za-z0-9._-]{1,253}$/;
/** What Sentinel takes. */
const MASTER_NAME = /^[A-Za-z0-9._-]{1,200}$/;
const ESCAPES = "in a user name or password @ is written %40, / %2F, : %3A, ? %3F, # %23 and % %25";

class Violation extends Error {}

export const hasStoreScheme = (text: string): boolean => SCHEME.test(text);

/** @param text such as `rediss://user:password@cache.example:6380/0`; it never throws */
export function readStoreUrl(text: string): StoreUrlReading {
  try {
    return { ok: true, url: parsed(text) };
  } catch (error) {
    if (error instanceof Violation) return { ok: false, violation: error.message };
    throw error;
  }
}

function parsed(text: string): StoreUrl {
  const [start, scheme, sentinel] = SCHEME.exec(text) ?? [];
  if (start === undefined) throw new Violation(`expected a URL that begins with ${STORE_SCHEMES}`);
  if (/[\s\p{Cc}]/u.test(text)) throw new Violation("expected a URL without spaces or control characters");
  if (/[?#]/.test(text)) throw new Violation(`expected a URL without ? and #: it takes no options (${ESCAPES})`);
  const rest = text.slice(start.length);
  const slash = rest.indexOf("/");
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? "" : rest.slice(slash + 1);
  // Of a password with a / in it, what follows would be taken for a host or a database: it is not repeated then.
  if (path.includes("@")) throw new Violation(`expected no @ after the first / (${ESCAPES})`);
  const at = authority.lastIndexOf("@");
  const show = at === -1 ? (value: string) => `, got "${value}"` : () => "";
  const user = at === -1 ? { username: null, password: null } : userOf(authority.slice(0, at));
  const names = authority.slice(at + 1).split(",");
  const isTls = scheme === "rediss";
  if (sentinel !== undefined) {
    const hosts = names.map((one, index) => hostOf(one, SENTINEL_PORT, placeOf(index, names.length), show));
    return { isTls, hosts, ...user, ...sentinelPath(path, show) };
  }
  if (names.length > 1) throw new Violation("names several hosts: expected one, or redis+sentinel:// for Sentinels");
  const hosts = [hostOf(names[0] ?? "", SERVER_PORT, "its host", show)];
  return { isTls, hosts, ...user, master: null, database: databaseOf(path, show) };
}

type Show = (value: string) => string;

const placeOf = (index: number, of: number): string => (of === 1 ? "its host" : `its host ${index + 1} of ${of}`);

function userOf(text: string): { username: string | null; password: string } {
  const colon = text.indexOf(":");
  if (colon === -1) throw new Violation("has a user name and no password: expected user:password@ or :password@");
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw new Violation(`has a % in its user name or password that begins no encoded character (${ESCAPES})`);
    }
  };
  if (text.includes("@") || text.indexOf(":", colon + 1) !== -1) {
    throw new Violation(`has more than one : or @ before its host (${ESCAPES})`);
  }
  const [username, password] = [decode(text.slice(0, colon)), decode(text.slice(colon + 1))];
  if (password === "") throw new Violation("has an empty password: expected user:password@ or :password@");
  return { username: username === "" ? null : username, password };
}

/** `name`, `name:port`, `192.0.2.1`, `[2001:db8::1]:port`. */
function hostOf(text: string, defaultPort: number, place: string, show: Show): ServerAddress {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? [];
  const host = inBrackets ?? plain;
  const isHost = inBrackets === undefined ? isHostName(plain ?? "") : isIPv6(inBrackets);
  if (host === undefined || !isHost) {
    const hint = isIPv6(text) ? `: [${text}]` : "";
    // What follows a colon may be a password whose host was forgotten.
    const got = text.includes(":") && hint === "" ? "" : show(text);
    throw new Violation(`${place}: expected a name, an IPv4 address or an IPv6 address in brackets${hint}${got}`);
  }
  if (port === undefined) return { host, port: defaultPort };
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > MAX_PORT) {
    throw new Violation(
      `${place}: expected a port from 1 to ${MAX_PORT} after its colon${/^\d+$/.test(port) ? show(port) : ""}`,
    );
  }
  return { host, port: number };
}

/** A name of digits and dots alone is an address that is none. */
const isHostName = (text: string): boolean => isIP(text) === 4 || (HOST_NAME.test(text) && !/^[\d.]*$/.test(text));

function sentinelPath(path: string, show: Show): { master: string; database: number } {
  const [master = "", ...more] = path.split("/");
  if (master === "") throw new Violation("names no primary: expected /NAME after the hosts, as Sentinel knows it");
  if (!MASTER_NAME.test(master)) {
    throw new Violation(`its primary: expected a name of letters, digits, ".", "-" and "_"${show(master)}`);
  }
  return { master, database: databaseOf(more.join("/"), show) };
}

function databaseOf(text: string, show: Show): number {
  if (text === "") return 0;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (number > MAX_DATABASE) throw new Violation(`its database: expected a number after the last /${show(text)}`);
  return number;
}
