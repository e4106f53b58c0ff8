// One HTTP/1.1 request on a connection of its own, so that requests spread over Envoy's workers.
import { once } from "node:events";
import { request, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";

export interface HttpRequest {
  readonly method?: string;
  readonly path?: string;
  /** The session token, in its default header. */
  readonly token?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** The address of this machine that it comes from; not given: 127.0.0.1. */
  readonly from?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export async function send(
  port: number,
  { method, path, token, headers, body, from }: HttpRequest = {},
): Promise<HttpAnswer> {
  const outgoing = request({
    host: "127.0.0.1",
    port,
    agent: false,
    ...(from === undefined ? {} : { localAddress: from }),
    method: method ?? "GET",
    path: path ?? "/",
    headers: { ...(token === undefined ? {} : { "x-session-id": token }), ...headers },
  });
  outgoing.end(body);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  // Its server may have answered before it took the whole body.
  outgoing.on("error", () => undefined);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}
