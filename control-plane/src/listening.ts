// Where the process listens: a listener that cannot be opened is said in one sentence, with the settings that move it.
import { isIPv6 } from "node:net";
import type { AddressInfo } from "node:net";

import type { HttpApp } from "./http/app.js";
import type { Address } from "./settings/distinct-addresses.js";
import { StartFailure, messageOf } from "./start-failure.js";

/** The settings that say where: `SLUICE_HTTP` has `SLUICE_HTTP_HOST` and `SLUICE_HTTP_PORT`. */
export type ListenerSettings = "SLUICE_HTTP" | "SLUICE_STATUS";

/**
 * Resolves to where it listens, one for each address of a name, with the port that it has where the system chose one.
 * Rejects with StartFailure.
 */
export async function listenAt(
  app: HttpApp,
  { host, port }: Address,
  settings: ListenerSettings,
): Promise<readonly AddressInfo[]> {
  await app.listen({ host, port }).catch((error: unknown) => {
    throw new StartFailure(sentenceOf(hostPort({ host, port }), settings, error));
  });
  return app.addresses().filter((one) => typeof one === "object");
}

/** What is wrong with a host, and not with a port. */
const OF_THE_HOST: ReadonlySet<unknown> = new Set([
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EINVAL",
  "EAFNOSUPPORT",
]);

function sentenceOf(address: string, settings: ListenerSettings, error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return `${address} is already in use: stop what listens there, or set ${settings}_PORT to another port`;
  }
  const variables = OF_THE_HOST.has(code)
    ? `${settings}_HOST`
    : code === "EACCES"
      ? `${settings}_PORT`
      : `${settings}_HOST, ${settings}_PORT`;
  return `cannot listen on ${address} (${variables}): ${messageOf(error)}`;
}

/** As a URL has it. */
export const hostPort = ({ host, port }: Address): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;
