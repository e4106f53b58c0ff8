// How many connections there may be: in all, of callers that have shown no credential yet, and of those from one address.
import type { Socket } from "node:net";

import type { FastifyInstance } from "fastify";

import { LogLineRate } from "../app/access/log-line-rate.js";
import { networkOf } from "../app/access/network.js";
import type { Clock, Logger } from "../app/ports/ports.js";
import { ConnectionPool } from "./connection-pool.js";
import type { Open } from "./connection-pool.js";

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

/** The API's, and that of supervisors and scrapers. */
export type ListenerName = "api" | "status";

export interface ConnectionParts {
  readonly listener: ListenerName;
  readonly bounds: ConnectionBounds;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
  readonly dropped: (reason: DropReason) => void;
}

/** This part of the total is left to those without a credential, so that new ones can show theirs. */
const LEFT_TO_NEW_ONES = 1 / 20;
const LINES_A_MINUTE = 1;
/**
 * So long a connection may take to show a credential before its address is a reason to close it: behind a balancer hundreds
 * of Envoys have one address, and after a restart connect at once.
 */
const YOUNG_MS = 2000;

/**
 * At a bound a connection without a credential gives way to the new one, never the new one to it: an Envoy or an operator
 * shows its credential soon, and counts no more from then on; who only sits is the oldest soon. The bound of an address
 * spares those that are young; at the bound in all it is the oldest of the network with the most that goes, young or not.
 * Among those with a credential it is the same once they take all the places that are theirs: who has an edge's credential
 * and fills them keeps nobody out from elsewhere. No connection without a credential closes one that has shown one.
 */
export class Connections {
  private readonly withCredential = new ConnectionPool();
  private readonly withoutCredential = new ConnectionPool();
  /** So that each further request costs no look-up by address. */
  private readonly known = new WeakSet<Socket>();
  private readonly lines: LogLineRate;
  private readonly maxWithCredential: number;

  constructor(private readonly parts: ConnectionParts) {
    const { total } = parts.bounds;
    this.maxWithCredential = Math.max(1, total - Math.ceil(total * LEFT_TO_NEW_ONES));
    this.lines = new LogLineRate(parts.clock, LINES_A_MINUTE);
  }

  /** To be called before the server listens. */
  follow({ server }: Pick<FastifyInstance, "server">): void {
    server.on("connection", (socket: Socket) => {
      this.opened(socket);
    });
  }

  counts(): { readonly authenticated: number; readonly unauthenticated: number } {
    return { authenticated: this.withCredential.size, unauthenticated: this.withoutCredential.size };
  }

  /** A request on it has shown an accepted credential. With TLS this is another socket than the one that was accepted. */
  authenticated(socket: Socket): void {
    if (this.known.has(socket)) return;
    this.known.add(socket);
    const one = this.withoutCredential.get(nameOf(socket) ?? "");
    if (one === undefined) return;
    this.withoutCredential.remove(one);
    this.withCredential.add(one);
    if (this.withCredential.size <= this.maxWithCredential) return;
    const oldest = this.nextToGo(this.withCredential, this.maxWithCredential);
    if (oldest !== undefined) this.drop(oldest, this.withCredential, "total");
  }

  private opened(socket: Socket): void {
    const name = nameOf(socket);
    const network = networkOf(socket.remoteAddress ?? "");
    if (name === undefined || !this.makesRoom(network)) {
      socket.destroy();
      return;
    }
    const one = { name, socket, network, sinceMs: this.parts.clock.monotonicMs() };
    this.withoutCredential.add(one);
    socket.once("close", () => {
      // The port may have been used again, for another connection.
      for (const pool of [this.withoutCredential, this.withCredential]) if (pool.get(name) === one) pool.remove(one);
    });
  }

  /** False only where the total is one connection, and that has shown a credential. */
  private makesRoom(network: string): boolean {
    const { total, unauthenticated } = this.parts.bounds;
    this.dropSittingOf(network);
    const room = Math.min(unauthenticated, total - this.withCredential.size);
    if (this.withoutCredential.size < room) return true;
    const oldest = this.nextToGo(this.withoutCredential, room);
    const reason = room < unauthenticated ? "total" : "unauthenticated";
    if (oldest === undefined) this.note(reason, network);
    else this.drop(oldest, this.withoutCredential, reason);
    return oldest !== undefined;
  }

  /** Until there is room for one more of this network, or only young ones are left. */
  private dropSittingOf(network: string): void {
    const sinceMs = this.parts.clock.monotonicMs() - YOUNG_MS;
    while (this.withoutCredential.countOf(network) >= this.parts.bounds.perAddress) {
      const oldest = this.withoutCredential.oldestOf(network);
      if (oldest === undefined || oldest.sinceMs > sinceMs) return;
      this.drop(oldest, this.withoutCredential, "address");
    }
  }

  /** A network with more than half of the places is a crowd, however many one address may have. */
  private nextToGo(pool: ConnectionPool, places: number): Open | undefined {
    return pool.nextToGo(Math.min(this.parts.bounds.perAddress, Math.floor(places / 2) + 1));
  }

  private drop(one: Open, from: ConnectionPool, reason: DropReason): void {
    from.remove(one);
    one.socket.destroy();
    this.note(reason, one.network);
  }

  private note(reason: DropReason, network: string): void {
    const { dropped, logger, listener } = this.parts;
    dropped(reason);
    const leftOut = this.lines.take();
    if (leftOut === undefined) return;
    const fields = { event: "connections-dropped", listener, reason, address: network, dropped: leftOut + 1 };
    logger.warn(fields, "connections are dropped: there are too many");
  }
}

/** Undefined where it has ended. */
function nameOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort ?? 0}`;
}
