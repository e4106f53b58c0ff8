// The clients' way into one listener of one Envoy: connections that are opened again when they are lost.
import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";

import { ask } from "../../e2e/harness/http2-load.js";

/** As many on one worker as on the other. */
const CONNECTIONS = 4;
/** Under way at a time: an Envoy that does not answer is asked for no more. */
const MOST_UNDER_WAY = 200;
const OPEN_AGAIN_MS = 100;

export class Door {
  private readonly connections = new Set<ClientHttp2Session>();
  private turn = 0;
  private closed = false;
  private under = 0;

  constructor(private readonly port: number) {
    for (let i = 0; i < CONNECTIONS; i++) this.open();
  }

  /** Whether a request can be sent now. */
  get takes(): boolean {
    return this.under < MOST_UNDER_WAY && this.usable.length > 0;
  }

  /** Resolves once all connections are there. */
  async opened(): Promise<void> {
    while (this.usable.length < CONNECTIONS) await delay(1);
  }

  /** The status of the answer; 0: there was none. */
  async ask(headers: OutgoingHttpHeaders): Promise<number> {
    const { usable } = this;
    const connection = usable[this.turn++ % usable.length];
    if (connection === undefined) return 0;
    this.under++;
    try {
      return await ask(connection, headers);
    } catch {
      return 0;
    } finally {
      this.under--;
    }
  }

  close(): void {
    this.closed = true;
    for (const connection of this.connections) connection.destroy();
  }

  private get usable(): ClientHttp2Session[] {
    return [...this.connections].filter(({ connecting, closed, destroyed }) => !connecting && !closed && !destroyed);
  }

  private open(): void {
    if (this.closed) return;
    const connection = connect(`http://127.0.0.1:${this.port}`);
    this.connections.add(connection);
    // What breaks a connection breaks its requests too, and is counted there.
    connection.on("error", () => undefined);
    connection.on("close", () => {
      this.connections.delete(connection);
      setTimeout(() => {
        this.open();
      }, OPEN_AGAIN_MS);
    });
  }
}
