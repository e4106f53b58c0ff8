// What a registry wants to be shown: HTTP Basic, or a token that its token service gives for it (the distribution project's
// "token authentication").
import { Failure } from "../failure.js";
import type { Credentials, Held } from "./credentials.js";

export interface Challenged {
  readonly host: string;
  /** Of the registry: its token service may be no less safe. */
  readonly origin: string;
  /** Of the token: `repository:NAME:pull,push`. */
  readonly scope: string;
  readonly held: Held;
  readonly fetch: typeof fetch;
}

/** @returns the header Authorization, or undefined where the registry names no way that is known here */
export async function authorizationFor(header: string, asked: Challenged): Promise<string | undefined> {
  const { held, host } = asked;
  const [, bearer] = /\bbearer\s+(.*)/i.exec(header) ?? [];
  if (bearer !== undefined) return `Bearer ${await token(bearer, asked)}`;
  if (!/\bbasic\b/i.test(header)) return undefined;
  if (held.credentials === undefined) throw new Failure(`${host} asks for credentials: ${held.told}`);
  return basic(held.credentials);
}

const basic = ({ user, password }: Credentials): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

async function token(challenge: string, { host, origin, scope, held, fetch }: Challenged): Promise<string> {
  const realm = realmOf(challenge, host, origin);
  const service = parameter(challenge, "service");
  if (service !== undefined) realm.searchParams.set("service", service);
  realm.searchParams.set("scope", scope);
  const shown = `${realm.origin}${realm.pathname}`;
  const headers = held.credentials === undefined ? {} : { authorization: basic(held.credentials) };
  const answer = await fetch(realm, { headers, redirect: "error" });
  if (answer.status === 401 || answer.status === 403) {
    const why = held.credentials === undefined ? held.told : `it rejects those for ${host} in ${held.told}`;
    throw new Failure(`${shown} asks for credentials: ${why}`);
  }
  const body = answer.ok ? ((await answer.json().catch(() => ({}))) as Record<string, unknown>) : {};
  const given = body.token ?? body.access_token;
  if (typeof given === "string") return given;
  throw new Failure(`${shown}: ${answer.status}, expected 200 with a token`);
}

/** Where the registry says its token service is. Credentials go there: over HTTPS, unless the registry itself is asked without. */
function realmOf(challenge: string, host: string, origin: string): URL {
  const text = parameter(challenge, "realm") ?? "";
  if (!URL.canParse(text))
    throw new Failure(`${host} names no token service: expected realm="URL" in WWW-Authenticate`);
  const realm = new URL(text);
  const isAsSafe = realm.protocol === "https:" || (realm.protocol === "http:" && origin.startsWith("http:"));
  if (!isAsSafe) throw new Failure(`${host} names the token service ${realm.origin}: expected one over HTTPS`);
  return realm;
}

const parameter = (challenge: string, name: string): string | undefined =>
  new RegExp(`\\b${name}="([^"]*)"`, "i").exec(challenge)?.[1];
