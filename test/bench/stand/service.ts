// The service behind the listeners of comparisons that need one: what a response cost, it says in each way at once.
import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";

/** What each response says in its header, its trailer and its JSON. */
export const SAID_COST = 1;
export const COST_NAME = "x-cost";
export const USAGE_POINTER = "/usage/total_tokens";
const EVENTS = 50;
const EVENT = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word"}}]}\n\n`;

export const ANSWERS: Readonly<Record<string, { type: string; body: string }>> = {
  "/json": {
    type: "application/json",
    body: JSON.stringify({
      id: "chatcmpl-1",
      choices: [{ index: 0, message: { role: "assistant", content: "word ".repeat(80) }, finish_reason: "stop" }],
      usage: { prompt_tokens: 0, completion_tokens: SAID_COST, total_tokens: SAID_COST },
    }),
  },
  "/events": {
    type: "text/event-stream",
    body: `${EVENT.repeat(EVENTS)}data: {"choices":[],"usage":{"total_tokens":${SAID_COST}}}\n\ndata: [DONE]\n\n`,
  },
};

export interface Service {
  readonly port: number;
  close(): void;
}

/** Listens on loopback, over HTTP/2 without TLS. */
export async function startService(): Promise<Service> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    respond(stream, headers[":path"] ?? "/");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

function respond(stream: ServerHttp2Stream, path: string): void {
  const answer = ANSWERS[path];
  if (answer === undefined) throw new Error(`the service has no ${path}`);
  const said = { [COST_NAME]: String(SAID_COST) };
  stream.respond({ ":status": 200, "content-type": answer.type, ...said }, { waitForTrailers: true });
  stream.on("wantTrailers", () => {
    stream.sendTrailers(said);
  });
  stream.end(answer.body);
}
