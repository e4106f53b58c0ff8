// A service over HTTP/2 whose responses say what a request really cost: in a header, in trailers, in JSON, in event streams.
import type { ServerHttp2Stream } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { usageResponses } from "../../host/usage/usage-readers.js";
import { listenHttp2 } from "./http2-service.js";

/** Small enough that no event comes in one piece. */
const PIECE_BYTES = 37;

export class UsageUpstream {
  /** What the requests for /load have cost in all, and how many there were. */
  readonly load = { cost: 0, requests: 0 };
  /** The `accept-encoding` of the last request for each path. */
  readonly acceptEncodings = new Map<string, string | undefined>();

  async listen(port: number): Promise<() => void> {
    const { close } = await listenHttp2(port, (stream, headers) => {
      const path = headers[":path"] ?? "/";
      this.acceptEncodings.set(path, headers["accept-encoding"]);
      void this.answer(stream, new URL(path, "http://service"));
    });
    return close;
  }

  private async answer(stream: ServerHttp2Stream, { pathname, searchParams }: URL): Promise<void> {
    const said = searchParams.get("cost") ?? "";
    const [, kind = "", which = ""] = pathname.split("/");
    if (kind === "chat") await respondInPieces(stream, Number(which));
    else if (kind === "load") await this.respondToLoad(stream, Number(said));
    else if (kind === "fail") stream.close(2);
    else if (kind === "begun") beginEvents(stream, said);
    else if (kind === "lasting") await respondAfter(stream, said, Number(searchParams.get("ms")));
    else if (kind === "trailer") respondWithTrailer(stream, said);
    else {
      stream.respond({ ":status": 200, "x-cost": said, "content-type": "text/plain" });
      stream.end("served");
    }
  }

  private async respondToLoad(stream: ServerHttp2Stream, cost: number): Promise<void> {
    this.load.cost += cost;
    this.load.requests += 1;
    await sleep(cost % 20);
    stream.respond({ ":status": 200, "content-type": "application/json" });
    stream.write(`{"choices":[],"usage":{"total_`);
    await sleep(cost % 7);
    stream.end(`tokens":${cost}}}`);
  }
}

/** One of the responses of test/vectors/usage, with trailers behind it: its last piece is not the end of the stream. */
async function respondInPieces(stream: ServerHttp2Stream, index: number): Promise<void> {
  const response = usageResponses()[index];
  if (response === undefined) throw new Error(`there is no response ${index}`);
  stream.respond({ ":status": 200, "content-type": response.contentType }, { waitForTrailers: true });
  stream.on("wantTrailers", () => {
    stream.sendTrailers({ "x-served": "all" });
  });
  const body = Buffer.from(response.body);
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    stream.write(body.subarray(at, at + PIECE_BYTES));
    await sleep(1);
  }
  stream.end();
}

/** An event with a value, and no end. */
function beginEvents(stream: ServerHttp2Stream, said: string): void {
  stream.respond({ ":status": 200, "content-type": "text/event-stream" });
  stream.write(`data: {"usage":{"total_tokens":${said}}}\n\ndata: {"usage":`);
}

/** An event stream that says something every second, and at its end what it cost. */
async function respondAfter(stream: ServerHttp2Stream, said: string, lastsMs: number): Promise<void> {
  stream.respond({ ":status": 200, "content-type": "text/event-stream" });
  for (const endMs = Date.now() + lastsMs; Date.now() < endMs;) {
    stream.write('data: {"choices":[]}\n\n');
    await sleep(Math.min(1000, Math.max(0, endMs - Date.now())));
  }
  stream.end(`data: {"usage":{"total_tokens":${said}}}\n\n`);
}

function respondWithTrailer(stream: ServerHttp2Stream, said: string): void {
  stream.respond({ ":status": 200, "content-type": "text/plain" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => {
    stream.sendTrailers({ "x-cost": said });
  });
  stream.end("served");
}
