// How a service of a test listens on loopback: over HTTP/2 alone, or over HTTP/1.1 and HTTP/2 on one port.
import { once } from "node:events";
import type { Server } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";

const LOOPBACK = "127.0.0.1";
const HTTP2_PREFACE = "PRI";

export interface Listening {
  readonly port: number;
  readonly close: () => void;
}

/** @param port 0: any that is free */
export async function listenHttp2(
  port: number,
  respond: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<Listening> {
  const server = createHttp2Server();
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    // A client that leaves is no error of the service.
    stream.on("error", () => undefined);
    respond(stream, headers);
  });
  server.listen(port, LOOPBACK);
  await once(server, "listening");
  const close = (): void => {
    for (const session of sessions) session.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

/** The first bytes of a connection say which of the two it is. Resolves with how to end it. */
export async function listenForEither(port: number, http1: Server, http2: Http2Server): Promise<() => void> {
  const sockets = new Set<Socket>();
  http2.on("sessionError", () => undefined);
  const tcp = createTcpServer((socket) => {
    sockets.add(socket);
    // What the service writes is to leave as it is written.
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    socket.once("data", (first: Buffer) => {
      socket.pause();
      const isHttp2 = first.toString("latin1", 0, HTTP2_PREFACE.length) === HTTP2_PREFACE;
      (isHttp2 ? http2 : http1).emit("connection", socket);
      socket.unshift(first);
      socket.resume();
    });
  });
  tcp.listen(port, LOOPBACK);
  await once(tcp, "listening");
  return () => {
    tcp.close();
    for (const socket of sockets) socket.destroy();
  };
}
