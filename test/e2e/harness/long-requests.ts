// Requests that stay open, of every kind that clients make. Each resolves once the service has said something.
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { constants, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from "node:http2";
import type { Duplex } from "node:stream";
import { openHttp2 } from "./http2-load.js";
import { openWebsocket } from "./websocket.js";

export interface LongRequest {
  /** Undefined while it goes on; then how it ended, as its client sees it. */
  end: string | undefined;
  close: () => void;
}

const tokenHeader = (token: string): OutgoingHttpHeaders => ({ "x-session-id": token });

/** HTTP/1.1, on a connection of its own. */
export async function openEvents(port: number, token: string): Promise<LongRequest> {
  const outgoing = request({ host: "127.0.0.1", port, agent: false, path: "/events", headers: tokenHeader(token) });
  outgoing.on("error", () => undefined).end();
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode ?? 0}`);
  const long: LongRequest = { end: undefined, close: () => outgoing.destroy() };
  const started = once(answer, "data");
  answer.on("error", (error: NodeJS.ErrnoException) => (long.end ??= error.code ?? error.message));
  answer.on("close", () => (long.end ??= answer.complete ? "complete" : "cut off"));
  await started;
  return long;
}

/** A websocket over HTTP/1.1. */
export async function openSocket(port: number, token: string): Promise<LongRequest> {
  const outcome = await openWebsocket(port, { "x-session-id": token });
  if (!outcome.upgraded) throw new Error(`status ${outcome.answer.statusCode ?? 0}`);
  return await tunnelled(outcome.socket);
}

/** CONNECT over HTTP/1.1. */
export async function openTunnel(port: number, token: string): Promise<LongRequest> {
  const options = { host: "127.0.0.1", port, agent: false, method: "CONNECT", path: "service:80" };
  const outgoing = request({ ...options, headers: tokenHeader(token) });
  outgoing.on("error", () => undefined).end();
  const [answer, socket] = (await once(outgoing, "connect")) as [IncomingMessage, Duplex];
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode ?? 0}`);
  return await tunnelled(socket);
}

async function tunnelled(socket: Duplex): Promise<LongRequest> {
  const long: LongRequest = { end: undefined, close: () => socket.destroy() };
  const started = once(socket, "data");
  socket.on("error", (error: NodeJS.ErrnoException) => (long.end ??= error.code ?? error.message));
  socket.on("close", () => (long.end ??= "closed"));
  await started;
  socket.resume();
  return long;
}

/** An event stream over HTTP/2. */
export function openHttp2Events(session: ClientHttp2Session, token: string): Promise<LongRequest> {
  return streaming(session.request({ ":path": "/events", ...tokenHeader(token) }));
}

/** A call of gRPC in which both sides may go on. */
export function openGrpcCall(session: ClientHttp2Session, token: string): Promise<LongRequest> {
  const headers = { ":method": "POST", ":path": "/sluice.test.Echo/Talk", "content-type": "application/grpc" };
  return streaming(session.request({ ...headers, te: "trailers", ...tokenHeader(token) }, { endStream: false }));
}

/** A websocket over HTTP/2 (RFC 8441). */
export function openHttp2Socket(session: ClientHttp2Session, token: string): Promise<LongRequest> {
  return streaming(
    session.request({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/", ...tokenHeader(token) }),
  );
}

/** CONNECT over HTTP/2, to a host and a port. */
export function openHttp2Tunnel(session: ClientHttp2Session, token: string): Promise<LongRequest> {
  return streaming(session.request({ ":method": "CONNECT", ":authority": "service:80", ...tokenHeader(token) }));
}

async function streaming(stream: ClientHttp2Stream): Promise<LongRequest> {
  const long: LongRequest = {
    end: undefined,
    close: () => {
      stream.close();
    },
  };
  stream.on("error", () => undefined);
  stream.on("close", () => (long.end ??= stream.rstCode === 0 ? "complete" : codeName(stream.rstCode)));
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  if (headers[":status"] !== 200) throw new Error(`status ${String(headers[":status"])}`);
  await once(stream, "data");
  stream.resume();
  return long;
}

/** RFC 9113, 7. */
const codeName = (code: number | undefined): string =>
  code === constants.NGHTTP2_INTERNAL_ERROR ? "INTERNAL_ERROR" : `code ${code ?? "?"}`;

/** A connection on which extended CONNECT may be used: the server says so in its first settings. */
export async function openHttp2WithConnect(port: number): Promise<ClientHttp2Session> {
  const session = await openHttp2(port);
  // They come after the connection, so in a later turn of the event loop.
  await once(session, "remoteSettings");
  return session;
}
