// The two listeners are two: one address cannot be both's.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

import type { Address } from "./address.js";

/** A sentence that names both settings, where both would listen on one address. A port of 0 is any that is free. */
export function sharedAddress({ http, status }: { readonly http: Address; readonly status: Address }): string[] {
  if (http.port === 0 || http.port !== status.port || !overlap(http.host, status.host)) return [];
  return [
    `SLUICE_HTTP_PORT and SLUICE_STATUS_PORT are both ${http.port}, and SLUICE_HTTP_HOST ("${http.host}") and ` +
      `SLUICE_STATUS_HOST ("${status.host}") overlap: use another port for one of them`,
  ];
}

/** Names other than `localhost` are known by the system only: where they do overlap, it says so when they are opened. */
function overlap(one: string, other: string): boolean {
  const [these, those] = [addressesOf(one), addressesOf(other)];
  return these.some((a) => those.some((b) => a === b || isAllOf(a, b) || isAllOf(b, a)));
}

const addressesOf = (host: string): string[] =>
  host === "localhost" ? ["127.0.0.1", "::1"] : [isIP(host) === 0 ? host : ipaddr.process(host).toString()];

/** `::` takes IPv4 too. */
const isAllOf = (all: string, one: string): boolean =>
  (all === "::" && isIP(one) !== 0) || (all === "0.0.0.0" && isIP(one) === 4);
