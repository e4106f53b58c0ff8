// One HTTP request through the filter: from its headers to its end, as Envoy's filter chain would lead it.
import { ACTION_PAUSE, HostError } from "./abi.js";
import { run, type Steps } from "./guest.js";
import { HeaderMap, type HeaderInput, type HeaderPairs } from "./header-map.js";
import type { RootContext } from "./root-context.js";
import type { Vm } from "./vm.js";

/** The content types that Envoy takes for gRPC. */
const GRPC = /^application\/grpc(\+|$)/;

export interface LocalResponse {
  readonly status: number;
  /** The response code details, for the access log. */
  readonly details: string;
  readonly body: string;
  readonly headers: HeaderMap;
  /** -1: derived from the status. */
  readonly grpcStatus: number;
}

/**
 * upstream: the request left for the service. streaming: its answer has begun. failed: the VM trapped, so Envoy answers an
 * empty 503. closed: the filter ended it.
 */
export type StreamState = "new" | "paused" | "upstream" | "streaming" | "finished" | "failed" | "abandoned" | "closed";

export class Stream {
  readonly kind = "stream";
  state: StreamState = "new";
  /** True once the request was let through to the service. */
  reachedUpstream = false;
  /** What the filter answered itself. */
  local: LocalResponse | undefined;
  readonly requestHeaders: HeaderMap;
  responseHeaders: HeaderMap | undefined;
  /** Of the stream's own state in Envoy. */
  properties = new Map<string, string>();
  /** What Envoy knows of the stream by itself, and other filters have written as metadata; by dotted path. */
  readonly attributes = new Map<string, string | Uint8Array>();
  /** The piece of the service's body that passes; the trailers, while they do. */
  bodyPiece: Uint8Array | undefined;
  responseTrailers: HeaderMap | undefined;
  #handedOver = false;

  constructor(
    readonly vm: Vm,
    readonly root: RootContext,
    readonly id: number,
    headers: HeaderInput,
    readonly upstreamAnswers: boolean,
  ) {
    this.requestHeaders = new HeaderMap(headers);
  }

  get paused(): boolean {
    return this.state === "paused";
  }

  /** What the client gets; undefined while it waits. A gRPC client always gets 200. */
  get status(): number | undefined {
    if (this.state === "failed") return 503;
    const status = this.responseHeaders?.get(":status");
    return status === undefined ? undefined : Number(status);
  }

  /** Request headers may be read until the request goes on. */
  get readableRequestHeaders(): HeaderMap | undefined {
    return this.#handedOver ? undefined : this.requestHeaders;
  }

  *begin(): Steps<void> {
    if (this.vm.failure !== undefined) {
      this.state = "failed";
      return;
    }
    if (this.vm.exports("proxy_on_context_create")) {
      yield* this.vm.enter(this, "proxy_on_context_create", this.id, this.root.id);
    }
    const size = this.requestHeaders.size;
    const action = yield* this.vm.enter(this, "proxy_on_request_headers", this.id, size, 1);
    if (action === undefined) yield* this.#end("failed");
    else if (this.state === "new" && action === ACTION_PAUSE) this.state = "paused";
    else if (this.state === "new") yield* this.#forward();
  }

  /** proxy_continue_stream, done when the guest has returned. */
  *resume(): Steps<void> {
    if (this.state === "paused") yield* this.#forward();
  }

  /** proxy_send_local_response, done when the guest has returned. The filter sees its own answer pass, as in Envoy. */
  *reply(local: LocalResponse): Steps<void> {
    if (this.state !== "new" && this.state !== "paused") return;
    this.local = local;
    yield* this.#respond(this.#localHeaders(local));
  }

  /** The service answers. */
  respond(headers: HeaderInput = { ":status": "200" }): void {
    run(this.respondSteps(headers));
  }

  *respondSteps(headers: HeaderInput = { ":status": "200" }): Steps<void> {
    if (this.state !== "upstream") throw new HostError(`a stream that is ${this.state} gets no answer of the service`);
    yield* this.#respond(new HeaderMap(headers));
  }

  /** The service answers with a body, which comes in pieces, and perhaps trailers behind it. */
  respondWith(headers: HeaderInput, body: readonly Uint8Array[], trailers?: HeaderInput): void {
    if (this.state !== "upstream") throw new HostError(`a stream that is ${this.state} gets no answer of the service`);
    run(this.#respondWith(new HeaderMap(headers), body, trailers));
  }

  /** The service's answer goes on, after `beginResponse`. */
  sendPiece(piece: Uint8Array): void {
    run(this.sendPieceSteps(piece));
  }

  *sendPieceSteps(piece: Uint8Array): Steps<void> {
    if (this.state !== "streaming") throw new HostError(`a stream that is ${this.state} gets no more of an answer`);
    yield* this.#passBody(piece, 0);
  }

  /** Envoy answers itself, since the service did not: a connection that was refused, a reset. */
  fail(details = "upstream_reset_before_response_started{connection_failure}"): void {
    if (this.state !== "upstream") throw new HostError(`a stream that is ${this.state} cannot fail at the service`);
    this.attributes.set("response.code_details", details);
    run(this.#respond(new HeaderMap({ ":status": "503", "content-type": "text/plain" })));
  }

  /** The service begins an answer that has no end: an event stream, a websocket. */
  beginResponse(headers: HeaderInput = { ":status": "200" }): void {
    run(this.beginResponseSteps(headers));
  }

  *beginResponseSteps(headers: HeaderInput = { ":status": "200" }): Steps<void> {
    if (this.state !== "upstream") throw new HostError(`a stream that is ${this.state} gets no answer of the service`);
    yield* this.#passResponse(new HeaderMap(headers), 0);
    this.state = "streaming";
  }

  /** proxy_close_stream, done when the guest has returned. */
  *reset(): Steps<void> {
    if (!this.vm.isOpen(this)) return;
    yield* this.#end("closed");
  }

  /** The client leaves without waiting for an answer. */
  abandon(): void {
    run(this.abandonSteps());
  }

  *abandonSteps(): Steps<void> {
    yield* this.#end("abandoned");
  }

  *#forward(): Steps<void> {
    this.#handedOver = true;
    this.reachedUpstream = true;
    this.state = "upstream";
    if (this.upstreamAnswers) yield* this.#respond(new HeaderMap({ ":status": "200" }));
  }

  *#respondWith(headers: HeaderMap, body: readonly Uint8Array[], trailers?: HeaderInput): Steps<void> {
    let passed = yield* this.#passResponse(headers, body.length === 0 && trailers === undefined ? 1 : 0);
    for (const [index, piece] of body.entries()) {
      const isLast = index === body.length - 1 && trailers === undefined;
      if (passed) passed = yield* this.#passBody(piece, isLast ? 1 : 0);
    }
    if (passed && trailers !== undefined) passed = yield* this.#passTrailers(new HeaderMap(trailers));
    yield* this.#end(passed ? "finished" : "failed");
  }

  *#passBody(piece: Uint8Array, endOfStream: number): Steps<boolean> {
    if (!this.vm.exports("proxy_on_response_body")) return true;
    this.bodyPiece = piece;
    const action = yield* this.vm.enter(this, "proxy_on_response_body", this.id, piece.length, endOfStream);
    this.bodyPiece = undefined;
    return action !== undefined;
  }

  *#passTrailers(trailers: HeaderMap): Steps<boolean> {
    if (!this.vm.exports("proxy_on_response_trailers")) return true;
    this.responseTrailers = trailers;
    const action = yield* this.vm.enter(this, "proxy_on_response_trailers", this.id, trailers.size);
    this.responseTrailers = undefined;
    return action !== undefined;
  }

  *#respond(headers: HeaderMap): Steps<void> {
    const passed = yield* this.#passResponse(headers, 1);
    yield* this.#end(passed ? "finished" : "failed");
  }

  /** False: the VM has trapped. */
  *#passResponse(headers: HeaderMap, endOfStream: number): Steps<boolean> {
    this.#handedOver = true;
    this.responseHeaders = headers;
    if (!this.attributes.has("response.code_details")) {
      this.attributes.set("response.code_details", this.local?.details ?? "via_upstream");
    }
    if (!this.vm.exports("proxy_on_response_headers")) return true;
    return (yield* this.vm.enter(this, "proxy_on_response_headers", this.id, headers.size, endOfStream)) !== undefined;
  }

  *#end(state: "finished" | "failed" | "abandoned" | "closed"): Steps<void> {
    this.state = state;
    yield* this.vm.closeContextSteps(this);
  }

  /**
   * Envoy's local reply: a gRPC client gets 200 with the status in headers, all others the status and the body. Without a
   * body there is no content type.
   */
  #localHeaders(local: LocalResponse): HeaderMap {
    const grpc = GRPC.test(this.requestHeaders.get("content-type") ?? "");
    const own: HeaderPairs = grpc
      ? [
          [":status", "200"],
          ["content-type", "application/grpc"],
          ["grpc-status", local.headers.get("grpc-status") ?? String(local.grpcStatus)],
          ...(local.body === "" ? [] : [["grpc-message", percentEncoded(local.body)] as const]),
        ]
      : [
          [":status", String(local.status)],
          ["content-length", String(local.body.length)],
        ];
    const headers = new HeaderMap(own);
    for (const [name, value] of local.headers.pairs()) {
      const isOwn = name === "content-type" ? grpc || local.body === "" : grpc && name === "grpc-status";
      if (!isOwn) headers.add(name, value);
    }
    if (headers.get("content-type") === undefined && local.body !== "") headers.add("content-type", "text/plain");
    return headers;
  }
}

/** A byte string, as `grpc-message` has it. */
function percentEncoded(text: string): string {
  const hex = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  return text.replace(/[^ -$&-}]/g, hex);
}
