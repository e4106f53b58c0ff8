// Who counts as one caller where addresses are counted: an IPv4 address, or the network of an IPv6 one.
import ipaddr from "ipaddr.js";

/** An IPv6 customer has at least 2^64 addresses, of which each call may use another. */
const NETWORK_BYTES = 8;

/** `192.0.2.1`, also for `::ffff:192.0.2.1`; `2001:db8:0:1::/64` for all addresses of that network. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv4") return parsed.toString();
  const network = [...parsed.toByteArray().slice(0, NETWORK_BYTES), ...Array<number>(NETWORK_BYTES).fill(0)];
  return `${ipaddr.fromByteArray(network).toString()}/64`;
}

/** Of one machine: `192.0.2.1`, also for `::ffff:192.0.2.1`. */
export const plainAddress = (address: string): string =>
  ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
