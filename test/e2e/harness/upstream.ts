// The service behind the proxy: answers 200, echoes what a websocket sends, and keeps a list of all that reached it.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly bodyBytes: number;
}

/** RFC 6455, 1.3: appended to the client's key before it is hashed. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What a server answers to the key of a websocket's handshake (RFC 6455, 4.2.2). */
export const websocketAccept = (key: string): string =>
  createHash("sha1").update(`${key}${WEBSOCKET_GUID}`).digest("base64");
export const UPSTREAM_BODY = "from the upstream\n";
/** What it says of limits of its own at /limits, some of it twice. */
export const UPSTREAM_LIMITS = {
  ratelimit: ['"service";r=1', '"other";r=2'],
  "ratelimit-policy": '"service";q=5',
  "x-ratelimit-limit": "5",
  "retry-after": "9",
};

export class Upstream {
  readonly received: Received[] = [];
  private readonly server: Server;
  private readonly upgraded = new Set<Duplex>();

  private constructor() {
    this.server = createServer((request, response) => {
      this.answer(request, response);
    });
    this.server.on("upgrade", (request, socket) => {
      this.upgrade(request, socket);
    });
    // A connection that Envoy keeps must not be closed under a request.
    this.server.keepAliveTimeout = 0;
  }

  static async listen(port: number): Promise<Upstream> {
    const upstream = new Upstream();
    upstream.server.listen(port, "127.0.0.1");
    await once(upstream.server, "listening");
    return upstream;
  }

  async close(): Promise<void> {
    for (const socket of this.upgraded) socket.destroy();
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, "close");
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    let bodyBytes = 0;
    request.on("data", (chunk: Buffer) => (bodyBytes += chunk.length));
    request.on("end", () => {
      this.note(request, bodyBytes);
      const limits = request.url === "/limits" ? UPSTREAM_LIMITS : {};
      response.writeHead(200, { "content-type": "text/plain", ...limits }).end(UPSTREAM_BODY);
    });
  }

  private upgrade(request: IncomingMessage, socket: Duplex): void {
    this.note(request, 0);
    this.upgraded.add(socket);
    const accept = websocketAccept(request.headers["sec-websocket-key"] ?? "");
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.on("error", () => socket.destroy());
    socket.write(`${head.join("\r\n")}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.pipe(socket);
  }

  private note({ method = "", url = "" }: IncomingMessage, bodyBytes: number): void {
    this.received.push({ method, path: url, bodyBytes });
  }
}
