// A service whose answers the test gives, over HTTP/1.1 and HTTP/2 on one port: their bytes, and when each piece goes out.
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { listenForEither } from "./http2-service.js";

export interface Answer {
  readonly headers: OutgoingHttpHeaders;
  /** Each is written by itself, as soon as it comes. Where they throw, the service breaks off its answer. */
  readonly pieces: () => AsyncIterable<Buffer> | Iterable<Buffer>;
}

export class ScriptedUpstream {
  /** By path. */
  readonly answers = new Map<string, Answer>();
  /** Of the last request for each path. */
  readonly acceptEncodings = new Map<string, string | undefined>();
  private readonly http1 = createServer((request, response) => void this.answer(request, response));
  private readonly http2 = createHttp2Server((request, response) => void this.answer(request, response));

  listen(port: number): Promise<() => void> {
    return listenForEither(port, this.http1, this.http2);
  }

  private async answer(
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ): Promise<void> {
    const path = request.url ?? "";
    this.acceptEncodings.set(path, [request.headers["accept-encoding"]].flat().join());
    const answer = this.answers.get(path);
    // A client that leaves is no error of the service.
    response.on("error", () => undefined);
    if (answer === undefined) {
      response.writeHead(200, { "content-type": "text/plain" });
      response.end("served");
      return;
    }
    response.writeHead(200, answer.headers);
    try {
      for await (const piece of answer.pieces()) await written(response, piece);
      response.end();
    } catch {
      if ("stream" in response) response.stream.close(2);
      else response.destroy();
    }
  }
}

/** Resolves when it may go on. */
function written(response: ServerResponse | Http2ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    response.once("close", reject);
    (response as ServerResponse).write(piece, () => {
      response.off("close", reject);
      resolve();
    });
  });
}
