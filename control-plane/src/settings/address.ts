// An address of a listener: as a URL has it, and as it is reached from this machine. Imports nothing of this project.
import { isIPv6 } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** As a URL has it. */
export const hostPort = ({ host, port }: Address): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** What listens on every address is reached through loopback, of the same kind: `::` need not take IPv4. */
export function reachable({ host, port }: Address): Address {
  const loopback = host === "0.0.0.0" ? "127.0.0.1" : "::1";
  return { host: host === "0.0.0.0" || host === "::" ? loopback : host, port };
}
