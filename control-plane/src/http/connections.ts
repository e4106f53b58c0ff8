// Connections: answers where the bytes never became a request, and their end: by the client, or as the server stops.
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import type { FastifyInstance } from "fastify";

import { codeOfFailure, errorBody, ERRORS, headersTooLarge } from "./errors.js";
import type { ErrorCode, ErrorDetail } from "./errors.js";
import { MAX_HEADER_BYTES } from "./transport.js";

/** Says what was wrong with bytes that are no request. */
export function answerUnparsed(
  error: { code: string },
  socket: Socket,
  { id, counted }: { readonly id: string; readonly counted: (code: ErrorCode) => void },
): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const code = codeOfFailure(error.code) ?? "MALFORMED_REQUEST";
  counted(code);
  answerBytes(socket, code, id, code === "HEADERS_TOO_LARGE" ? headersTooLarge(MAX_HEADER_BYTES) : {});
}

/** The one form of errors, as far as the client still listens, for what has no answer of Node's; and closes. */
export function answerBytes(socket: Socket, code: ErrorCode, requestId: string, detail: ErrorDetail = {}): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status } = ERRORS[code];
  const body = JSON.stringify(errorBody(code, requestId, detail));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    `x-request-id: ${requestId}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => {
    socket.destroy();
  });
}

const hangUps = new WeakMap<Socket, AbortSignal>();

/**
 * Aborted when the connection ends. Node does not say so to an answer that waits for those before it. One listener for all
 * the calls of a connection.
 */
export function hangUpOf(socket: Socket): AbortSignal {
  const known = hangUps.get(socket);
  if (known !== undefined) return known;
  const gone = new AbortController();
  if (socket.destroyed) gone.abort();
  socket.once("close", () => {
    gone.abort();
  });
  hangUps.set(socket, gone.signal);
  return gone.signal;
}

/** For calls under way. They take milliseconds. */
const STOP_GRACE_MS = 2000;

/**
 * Closes the server once the calls under way are finished. Who still holds a connection after the grace, such as one that
 * has never sent a whole request, is cut off: Node would wait for that one for ever.
 */
export async function closeServer(
  app: Pick<FastifyInstance, "close" | "server">,
  graceMs = STOP_GRACE_MS,
): Promise<void> {
  let cutOff: NodeJS.Timeout | undefined;
  const grace = new Promise<void>((resolve) => {
    cutOff = setTimeout(resolve, graceMs);
  });
  await Promise.race([app.close(), grace]);
  clearTimeout(cutOff);
  app.server.closeAllConnections();
}

/** Calls under way when the server stops are the last on their connections: at rest those would hold up its end. */
export function endConnectionsOnClose(app: Pick<FastifyInstance, "addHook">): void {
  let closing = false;
  app.addHook("preClose", (done) => {
    closing = true;
    done();
  });
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (closing) reply.header("connection", "close");
    done();
  });
}
