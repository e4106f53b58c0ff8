// The service behind the listeners of comparisons that need one: what a response cost, it says in each way at once.
import type { ServerHttp2Stream } from "node:http2";
import { listenHttp2, type Listening } from "../../e2e/harness/http2-service.js";

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

/** Listens on loopback, over HTTP/2 without TLS. */
export function startService(): Promise<Listening> {
  return listenHttp2(0, (stream, headers) => {
    respond(stream, headers[":path"] ?? "/");
  });
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
