// Names of hosts, resolved once: everyone who listens or connects is given the same address.
import { lookup } from "node:dns/promises";
import { Failure } from "../failure.js";
import type { Settings } from "./settings.js";

/**
 * The settings with addresses in place of names. Resolved by each program by itself, one name may lead to two addresses:
 * `localhost` is ::1 for Envoy and 127.0.0.1 for Node. Rejects with a Failure that names the variable.
 */
export async function resolved(settings: Settings): Promise<Settings> {
  return {
    ...settings,
    proxyHost: await addressOf(settings.proxyHost, "SLUICE_PROXY_HOST"),
    httpHost: await addressOf(settings.httpHost, "SLUICE_HTTP_HOST"),
    statusHost: await addressOf(settings.statusHost, "SLUICE_STATUS_HOST"),
  };
}

async function addressOf(host: string, variable: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Failure(`${variable} must be an address or a name of this machine, got "${host}" (${reason}).`);
  }
}
