// How many connections there may be: in all, of callers that have shown no credential yet, and of those from one address.
import type { Socket } from "node:net";

import type { FastifyInstance } from "fastify";

import { LogLineRate } from "../app/access/log-line-rate.js";
import { networkOf } from "../app/access/network.js";
import type { Clock, Logger } from "../app/ports/ports.js";

export interface ConnectionBounds {
  readonly total: number;
  /** Of those on which no request has shown an accepted credential yet. The rest of the total is a reserve. */
  readonly unauthenticated: number;
  /** Of these, from one IPv4 address or IPv6 /64. */
  readonly perAddress: number;
}

/** Which bound a connection gave way to. */
export const DROP_REASONS = ["address", "unauthenticated", "total"] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface ConnectionParts {
  readonly bounds: ConnectionBounds;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
  readonly dropped: (reason: DropReason) => void;
}

interface Open {
  /** As the listener accepted it; with TLS, beneath that. */
  readonly socket: Socket;
  readonly network: string;
  /** Monotonic. */
  readonly sinceMs: number;
  readonly authenticated: boolean;
}

const LINES_A_MINUTE = 1;
/**
 * So long a connection may take to show a credential before its address is a reason to close it: behind a balancer hundreds
 * of Envoys have one address, and after a restart connect at once.
 */
const YOUNG_MS = 2000;

/**
 * At a bound the oldest connection without a credential gives way to the new one, never the new one to it: an Envoy or an
 * operator shows its credential soon, and counts no more from then on; who only sits is the oldest soon. The bound of an
 * address spares those that are young; these count in all.
 */
export class Connections {
  private readonly open = new Map<string, Open>();
  /** The oldest is the first; so it is within a network. */
  private readonly unauthenticated = new Map<string, Open>();
  private readonly byNetwork = new Map<string, Map<string, Open>>();
  /** So that each further request costs no look-up by address. */
  private readonly known = new WeakSet<Socket>();
  private readonly lines: LogLineRate;

  constructor(private readonly parts: ConnectionParts) {
    this.lines = new LogLineRate(parts.clock, LINES_A_MINUTE);
  }

  /** To be called before the server listens. */
  follow({ server }: Pick<FastifyInstance, "server">): void {
    server.on("connection", (socket: Socket) => {
      this.opened(socket);
    });
  }

  counts(): { readonly authenticated: number; readonly unauthenticated: number } {
    const unauthenticated = this.unauthenticated.size;
    return { authenticated: this.open.size - unauthenticated, unauthenticated };
  }

  /** A request on it has shown an accepted credential. With TLS this is another socket than the one that was accepted. */
  authenticated(socket: Socket): void {
    if (this.known.has(socket)) return;
    this.known.add(socket);
    const name = nameOf(socket);
    const one = name === undefined ? undefined : this.open.get(name);
    if (name === undefined || one === undefined) return;
    this.forgetUnauthenticated(name, one);
    this.open.set(name, { ...one, authenticated: true });
  }

  private opened(socket: Socket): void {
    const name = nameOf(socket);
    const network = networkOf(socket.remoteAddress ?? "");
    if (name === undefined || !this.makesRoom(network)) {
      socket.destroy();
      return;
    }
    const one = { socket, network, sinceMs: this.parts.clock.monotonicMs(), authenticated: false };
    this.open.set(name, one);
    this.unauthenticated.set(name, one);
    const ofNetwork = this.byNetwork.get(network) ?? new Map<string, Open>();
    this.byNetwork.set(network, ofNetwork.set(name, one));
    socket.once("close", () => {
      // The port may have been used again, for another connection.
      if (this.open.get(name)?.socket === socket) this.forget(name);
    });
  }

  /** False where all connections there may be have shown a credential. */
  private makesRoom(network: string): boolean {
    const { total, unauthenticated, perAddress } = this.parts.bounds;
    this.dropSittingOf(network, perAddress);
    if (this.unauthenticated.size >= unauthenticated) this.dropOldest(this.unauthenticated, "unauthenticated");
    if (this.open.size < total) return true;
    if (this.unauthenticated.size > 0) this.dropOldest(this.unauthenticated, "total");
    else this.note("total", network);
    return this.open.size < total;
  }

  /** Until there is room for one more of this network, or only young ones are left. */
  private dropSittingOf(network: string, perAddress: number): void {
    const sinceMs = this.parts.clock.monotonicMs() - YOUNG_MS;
    for (;;) {
      const those = this.byNetwork.get(network);
      const [oldest] = those?.values() ?? [];
      if (those === undefined || oldest === undefined || those.size < perAddress || oldest.sinceMs > sinceMs) return;
      this.dropOldest(those, "address");
    }
  }

  private dropOldest(those: ReadonlyMap<string, Open>, reason: DropReason): void {
    for (const [name, { socket, network }] of those) {
      this.forget(name);
      socket.destroy();
      this.note(reason, network);
      return;
    }
  }

  private forget(name: string): void {
    const one = this.open.get(name);
    this.open.delete(name);
    if (one !== undefined && !one.authenticated) this.forgetUnauthenticated(name, one);
  }

  private forgetUnauthenticated(name: string, { network }: Open): void {
    this.unauthenticated.delete(name);
    const ofNetwork = this.byNetwork.get(network);
    ofNetwork?.delete(name);
    if (ofNetwork?.size === 0) this.byNetwork.delete(network);
  }

  private note(reason: DropReason, network: string): void {
    const { dropped, logger } = this.parts;
    dropped(reason);
    const leftOut = this.lines.take();
    if (leftOut === undefined) return;
    const fields = { type: "connections-dropped", reason, address: network, dropped: leftOut + 1 };
    logger.warn(fields, "connections without a credential are dropped: there are too many");
  }
}

/** Undefined where it has ended. */
function nameOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort ?? 0}`;
}
