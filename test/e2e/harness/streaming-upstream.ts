// A service of long answers, over HTTP/1.1 and HTTP/2 on one port: event streams, websockets, CONNECT and gRPC, each of
// which says something every so often until it is ended.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Stream,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import { listenForEither } from "./http2-service.js";
import { websocketAccept } from "./upstream.js";

const EVERY_MS = 500;
const EVENT = "data: on\n\n";
/** A final frame of text: "on". */
const WEBSOCKET_MESSAGE = Buffer.from("\x81\x02on", "latin1");

export class StreamingUpstream {
  /** Streams that have begun and were not ended. */
  open = 0;
  private readonly http1 = createServer((request, response) => {
    this.answer(request, response);
  });
  private readonly http2 = createHttp2Server({ settings: { enableConnectProtocol: true } });

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
  }

  listen(port: number): Promise<() => void> {
    return listenForEither(port, this.http1, this.http2);
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
