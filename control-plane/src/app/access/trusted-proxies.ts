// Who calls, where proxies stand between: by X-Forwarded-For, as far as proxies that are trusted have written it.
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ReturnType<typeof ipaddr.process>;

/** Addresses that begin with the same bits as `address`, so many as `prefix` says. IPv4 is never an IPv6 network's. */
export interface Network {
  readonly address: Address;
  readonly prefix: number;
}

const MAPPED_PREFIX = 96;
/** No chain is so long. The header's length is bounded by that of all headers. */
const MAX_PROXIES = 32;
/** What proxies write where they say the port too. */
const WITH_PORT = /^(?:\[([0-9a-f:.]+)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/i;

/** @param text `10.0.0.0/8`, `2001:db8::/32` or a single address. Undefined: it is none, or would be everybody. */
export function networkFrom(text: string): Network | undefined {
  const [given = "", digits, ...more] = text.split("/");
  const address = addressFrom(given);
  if (address === undefined || more.length > 0) return undefined;
  const bits = address.toByteArray().length * 8;
  if (digits === undefined) return { address, prefix: bits };
  if (!/^[1-9]\d{0,2}$/.test(digits)) return undefined;
  const isMapped = given.includes(":") && address.kind() === "ipv4";
  const prefix = Number(digits) - (isMapped ? MAPPED_PREFIX : 0);
  return prefix >= 1 && prefix <= bits ? { address, prefix } : undefined;
}

export class TrustedProxies {
  private readonly ranges: { readonly trusted: [Address, number][] };

  constructor(networks: readonly Network[]) {
    this.ranges = { trusted: networks.map(({ address, prefix }) => [address, prefix]) };
  }

  /**
   * The caller that trusted proxies name. Read from the right, where each proxy adds who called it: the first address
   * that is not a trusted proxy's, or the last that was named. What stands further left the caller may have made up.
   * Undefined where `peer` is no trusted proxy, or names nobody. An IPv4 or IPv6 address in the one usual spelling.
   * @param peer address of the connection's other end
   * @param header X-Forwarded-For, several lines joined by commas
   */
  callerBehind(peer: string, header: string): string | undefined {
    const proxy = addressFrom(peer.split("%", 1)[0] ?? "");
    if (proxy === undefined || !this.isTrusted(proxy)) return undefined;
    let named: Address | undefined;
    let proxies = 0;
    for (const entry of fromTheRight(header)) {
      const address = addressFrom(withoutPort(entry));
      // `unknown` and the like: what is left of it was written by nobody knows whom.
      if (address === undefined) break;
      named = address;
      if (!this.isTrusted(address) || ++proxies === MAX_PROXIES) break;
    }
    return named?.toString();
  }

  private isTrusted(address: Address): boolean {
    return ipaddr.subnetMatch(address, this.ranges, "others") === "trusted";
  }
}

/** Elements that are not empty. No more of the header is looked at than is asked for. */
function* fromTheRight(header: string): Generator<string> {
  for (let end = header.length; end > 0;) {
    const comma = header.lastIndexOf(",", end - 1);
    const entry = header.slice(comma + 1, end).trim();
    if (entry !== "") yield entry;
    end = comma;
  }
}

function withoutPort(entry: string): string {
  const [, ipv6, ipv4] = WITH_PORT.exec(entry) ?? [];
  return ipv6 ?? ipv4 ?? entry;
}

/** In the one spelling of each, without a zone: what is only good on one machine, and may be of any length, is none. */
function addressFrom(text: string): Address | undefined {
  return isIP(text) === 0 || text.includes("%") ? undefined : ipaddr.process(text);
}
