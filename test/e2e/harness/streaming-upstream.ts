// A service of long answers, over HTTP/1.1 and HTTP/2 on one port: event streams, websockets, CONNECT and gRPC, each of
// which says something every so often until it is ended.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Stream,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTcpServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { websocketAccept } from "./upstream.js";

const HTTP2_PREFACE = "PRI";
const EVERY_MS = 500;
const EVENT = "data: on\n\n";
/** A final frame of text: "on". */
const WEBSOCKET_MESSAGE = Buffer.from("\x81\x02on", "latin1");

export class StreamingUpstream {
  /** Streams that have begun and were not ended. */
  open = 0;
  private readonly sockets = new Set<Socket>();
  private readonly http1 = createServer((request, response) => {
    this.answer(request, response);
  });
  private readonly http2 = createHttp2Server({ settings: { enableConnectProtocol: true } });
  private readonly tcp = createTcpServer((socket) => {
    this.accept(socket);
  });

  constructor() {
    this.http1.on("upgrade", ({ headers }: IncomingMessage, socket: Duplex) => {
      const accept = websocketAccept(headers["sec-websocket-key"] ?? "");
      const head = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: upgrade"];
      this.tunnel(socket, `${[...head, `sec-websocket-accept: ${accept}`].join("\r\n")}\r\n\r\n`, WEBSOCKET_MESSAGE);
    });
    this.http1.on("connect", (_request: IncomingMessage, socket: Duplex) => {
      this.tunnel(socket, "HTTP/1.1 200 OK\r\n\r\n");
    });
    this.http2.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.respond({ ":status": 200, "content-type": headers["content-type"] ?? "text/event-stream" });
      this.goOn(stream);
    });
    this.http2.on("sessionError", () => undefined);
  }

  async listen(port: number): Promise<() => void> {
    this.tcp.listen(port, "127.0.0.1");
    await once(this.tcp, "listening");
    return () => {
      this.tcp.close();
      for (const socket of this.sockets) socket.destroy();
    };
  }

  /** The first bytes say which of the two it is. */
  private accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket)).on("error", () => undefined);
    socket.once("data", (first: Buffer) => {
      socket.pause();
      const server = first.toString("latin1", 0, HTTP2_PREFACE.length) === HTTP2_PREFACE ? this.http2 : this.http1;
      server.emit("connection", socket);
      socket.unshift(first);
      socket.resume();
    });
  }

  /** /slow answers after the milliseconds in its query, all else is an event stream. */
  private answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const waitMs = /^\/slow\?(\d+)$/.exec(request.url ?? "")?.[1];
    if (waitMs !== undefined) {
      setTimeout(() => response.end("at last\n"), Number(waitMs));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    this.goOn(response);
  }

  private tunnel(socket: Duplex, head: string, message: string | Buffer = EVENT): void {
    socket.write(head);
    socket.resume();
    this.goOn(socket, message);
  }

  private goOn(stream: ServerResponse | Duplex | Http2Stream, message: string | Buffer = EVENT): void {
    this.open++;
    const say = (): void => {
      stream.write(message);
    };
    say();
    const timer = setInterval(say, EVERY_MS);
    stream.on("error", () => undefined);
    stream.on("close", () => {
      clearInterval(timer);
      this.open--;
    });
  }
}
