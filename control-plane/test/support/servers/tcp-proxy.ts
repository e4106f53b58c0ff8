// A network between two programs, in this process: it passes bytes on, late or not at all, and cuts connections.
import { once } from "node:events";
import { createServer, connect, type Server, type Socket } from "node:net";

import { freePorts } from "../../../../scripts/start/ports.js";
import { Direction } from "./proxy-direction.js";

/** `requests`: what callers send. `answers`: what comes back to them. */
export type Way = "requests" | "answers";

interface Connection {
  readonly caller: Socket;
  /** The caller's address. */
  readonly from: string;
  readonly target: Socket;
  readonly ways: Readonly<Record<Way, Direction>>;
  /** It was there in a partition: the network has forgotten it. */
  lost: boolean;
}

const HOST = "127.0.0.1";
const BOTH: readonly Way[] = ["requests", "answers"];

export class TcpProxy {
  private readonly connections = new Set<Connection>();
  private readonly stalled = new Set<Way>();
  private delayOf = (_from: string): number => 0;
  private isParted = (_from: string): boolean => false;

  private constructor(
    private readonly server: Server,
    /** On 127.0.0.1, for callers. */
    readonly port: number,
    private targetPort: number,
  ) {
    server.on("connection", (caller: Socket) => {
      this.join(caller);
    });
  }

  /** @param targetPort on this machine; 0 until `to` says it */
  static async listen(targetPort = 0): Promise<TcpProxy> {
    // What a caller's end has sent goes on after it: each direction ends by itself.
    const server = createServer({ allowHalfOpen: true });
    const [port = 0] = await freePorts(1);
    const proxy = new TcpProxy(server, port, targetPort);
    await proxy.reopen();
    return proxy;
  }

  /** How many connections go through it. */
  get open(): number {
    return this.connections.size;
  }

  /** From now on new connections go there. */
  to(targetPort: number): void {
    this.targetPort = targetPort;
  }

  /**
   * Nothing gets through any more, and nothing is lost: it comes when it is resumed. New connections are taken too.
   * @param only one way: what is asked arrives and is done, and its answer does not come back, or the other way round
   */
  stall(only?: Way): void {
    for (const way of BOTH) if (only === undefined || way === only) this.stalled.add(way);
    this.tell();
  }

  /**
   * Everything takes so long each way from now on; 0: no longer.
   * @param only as of a partition
   */
  delay(ms: number, ...only: readonly string[]): void {
    this.delayOf = (from) => (only.length === 0 || only.includes(from) ? ms : 0);
    this.tell();
  }

  /**
   * What is sent is lost, without a word to either side; a new connection is taken and gets no answer.
   * @param only callers with these addresses: all others reach it as before. Without any: all
   */
  partition(...only: readonly string[]): void {
    this.isParted = (from) => only.length === 0 || only.includes(from);
    for (const connection of this.connections) if (this.isParted(connection.from)) connection.lost = true;
    this.tell();
  }

  /** Ends a stall, a partition and a delay. Connections that were there in a partition are reset when they are used again. */
  resume(): void {
    this.stalled.clear();
    this.delayOf = () => 0;
    this.isParted = () => false;
    this.tell();
  }

  /** Resets every connection, both ways, with all that is under way on it; new ones are taken. */
  cut(): void {
    for (const connection of [...this.connections]) this.reset(connection);
  }

  /** Resets every connection and takes no new one: it is refused. */
  async close(): Promise<void> {
    this.cut();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, "close");
  }

  /** Takes connections again, after `close`. */
  async reopen(): Promise<void> {
    this.server.listen(this.port, HOST);
    await once(this.server, "listening");
  }

  private join(caller: Socket): void {
    const target = connect({ host: HOST, port: this.targetPort, allowHalfOpen: true });
    const ways = { requests: new Direction(caller, target), answers: new Direction(target, caller) };
    const from = caller.remoteAddress ?? "";
    const connection: Connection = { caller, from, target, ways, lost: this.isParted(from) };
    this.connections.add(connection);
    for (const socket of [caller, target]) {
      socket.setNoDelay(true);
      socket.on("error", () => {
        this.reset(connection);
      });
    }
    const ended = (): void => {
      if (caller.destroyed && target.destroyed) this.connections.delete(connection);
    };
    caller.on("close", ended);
    target.on("close", ended);
    for (const way of BOTH)
      connection.ways[way].onBytes = () => {
        if (connection.lost && !this.isParted(from)) this.reset(connection);
      };
    this.tellOne(connection);
  }

  private reset(connection: Connection): void {
    this.connections.delete(connection);
    for (const way of BOTH) connection.ways[way].end();
    for (const socket of [connection.caller, connection.target]) socket.resetAndDestroy();
  }

  private tell(): void {
    for (const connection of this.connections) this.tellOne(connection);
  }

  private tellOne({ from, ways, lost }: Connection): void {
    for (const way of BOTH) {
      const stalled = this.stalled.has(way) && !this.isParted(from);
      ways[way].follow({ drops: lost, stalled, delayMs: this.delayOf(from) });
    }
  }
}
