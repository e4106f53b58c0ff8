// The service behind the demo's Envoy: answers 200 to any method on any path, and accepts a websocket upgrade.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { given } from "../../control-plane/src/settings/environment.js";

/** RFC 6455, 1.3: appended to the client's key before it is hashed. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8000;

let requests = 0;

/** Says what arrived, but no header: the session token is one of them. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  requests++;
  let bodyBytes = 0;
  request.on("data", (chunk: Buffer) => (bodyBytes += chunk.length));
  request.on("end", () => {
    const facts = { service: "demo", method: request.method, path: request.url, bodyBytes, requests };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(`${JSON.stringify(facts)}\n`);
  });
}

/** The opening handshake and nothing more: what arrives afterwards is read and dropped. */
function acceptUpgrade(request: IncomingMessage, socket: Duplex): void {
  requests++;
  const key = request.headers["sec-websocket-key"];
  if (request.headers.upgrade?.toLowerCase() !== "websocket" || key === undefined) {
    socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    return;
  }
  const accept = createHash("sha1").update(`${key}${WEBSOCKET_GUID}`).digest("base64");
  const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  socket.write(`${head.join("\r\n")}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
  socket.resume();
}

const host = given(process.env, "SLUICE_UPSTREAM_HOST") ?? DEFAULT_HOST;
const port = Number(given(process.env, "SLUICE_UPSTREAM_PORT") ?? DEFAULT_PORT);
const server = createServer(answer);
server.on("upgrade", acceptUpgrade);
server.on("error", (error) => {
  console.error(`The demo service cannot listen on ${host}:${port}: ${error.message}`);
  process.exitCode = 1;
});
server.listen(port, host, () => {
  console.log(`The demo service listens on ${host}:${port}`);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));
