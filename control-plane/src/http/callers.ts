// From which address a request comes: that of its connection, or the one that trusted proxies name.
import type { FastifyRequest } from "fastify";

import { TrustedProxies } from "../app/access/trusted-proxies.js";
import type { Network } from "../app/access/trusted-proxies.js";

type Asked = Pick<FastifyRequest, "headers" | "ip">;

export class Callers {
  private readonly proxies: TrustedProxies;

  /** @param trusted proxies whose X-Forwarded-For counts */
  constructor(trusted: readonly Network[]) {
    this.proxies = new TrustedProxies(trusted);
  }

  addressOf(request: Asked): string {
    return this.namedByProxies(request) ?? request.ip;
  }

  /** Undefined where no trusted proxy stands between. */
  namedByProxies({ headers, ip }: Asked): string | undefined {
    const header = headers["x-forwarded-for"];
    return header === undefined ? undefined : this.proxies.callerBehind(ip, String(header));
  }
}
