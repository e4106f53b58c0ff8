// One HTTP/1.1 request whose answer is told piece by piece, and of which a digest is kept, however long it is.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { HttpRequest } from "./http1.js";

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
  readonly sha256: string;
  /** false: the answer broke off. */
  readonly whole: boolean;
}

/** @param onBytes told how many have come so far, with each piece that comes */
export async function receive(
  port: number,
  { path = "/", token, headers }: HttpRequest,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Received> {
  const session = token === undefined ? {} : { "x-session-id": token };
  const outgoing = request({ host: "127.0.0.1", port, agent: false, path, headers: { ...session, ...headers } });
  outgoing.end();
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  // Its connection may break while the answer comes, which ends the answer too.
  outgoing.on("error", () => undefined);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      hash.update(piece);
      bytes += piece.length;
      onBytes(bytes);
    }
  } catch {
    // `complete` says it.
  }
  const { statusCode = 0, complete } = answer;
  return { status: statusCode, headers: answer.headers, bytes, sha256: hash.digest("hex"), whole: complete };
}

export function sha256Of(pieces: Iterable<Buffer>): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}
