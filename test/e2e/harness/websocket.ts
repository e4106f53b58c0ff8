// A websocket's opening handshake (RFC 6455, 4.1), and the raw connection after it.
import { randomBytes } from "node:crypto";
import { request, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";

export type UpgradeOutcome =
  | { readonly upgraded: true; readonly answer: IncomingMessage; readonly socket: Duplex }
  | { readonly upgraded: false; readonly answer: IncomingMessage; readonly body: string };

export function openWebsocket(port: number, headers: Readonly<Record<string, string>>): Promise<UpgradeOutcome> {
  const handshake = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
  };
  const outgoing = request({ host: "127.0.0.1", port, agent: false, headers: { ...handshake, ...headers } });
  return new Promise((resolve, reject) => {
    outgoing.on("upgrade", (answer, socket) => {
      resolve({ upgraded: true, answer, socket });
    });
    outgoing.on("response", (answer) => {
      text(answer).then((body) => {
        resolve({ upgraded: false, answer, body });
      }, reject);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
