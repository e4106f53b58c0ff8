// A collector of spans: takes OTLP over HTTP as protobuf, and keeps what it is sent. It can also hang, fail, or talk nonsense.
import { loadSync } from "@grpc/proto-loader";
import type { MethodDefinition } from "@grpc/proto-loader";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** "" of a root. */
  readonly parentId: string;
  readonly traceState: string;
  readonly name: string;
  /** 2: of a server. */
  readonly kind: number;
  /** 2: failed. */
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  /** Ids of the spans that it is linked with. */
  readonly links: readonly string[];
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>> & { readonly value: string };
}

interface WireSpan {
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code: number } | null;
  readonly attributes: readonly KeyValue[];
  readonly links: readonly { readonly spanId: Buffer }[];
}

interface WireRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class Collector {
  readonly spans: CollectedSpan[] = [];
  /** Of each call, in order. */
  readonly headers: IncomingMessage["headers"][] = [];
  connections = 0;
  /** Undefined: takes all. */
  answer: Answer | undefined;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      this.headers.push(request.headers);
      const { answer } = this;
      if (answer === undefined) void this.take(request, response);
      else answer(request, response);
    });
    this.server.on("connection", () => {
      this.connections += 1;
    });
  }

  /** Ends with the test. */
  static async start(answer?: Answer): Promise<Collector> {
    const collector = await Collector.listening();
    collector.answer = answer;
    onTestFinished(() => {
      collector.stop();
    });
    return collector;
  }

  /** Until it is stopped. */
  static async listening(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  named(name: string): CollectedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const isRight = request.url === "/v1/traces" && request.headers["content-type"] === "application/x-protobuf";
    if (isRight) this.spans.push(...spansIn(Buffer.concat(chunks)));
    response.writeHead(isRight ? 200 : 400, { "content-type": "application/x-protobuf" }).end();
  }
}

const PROTO = join(import.meta.dirname, "otlp.proto");
let read: ((bytes: Buffer) => WireRequest) | undefined;

function spansIn(bytes: Buffer): CollectedSpan[] {
  read ??= (
    loadSync(PROTO, { defaults: true, longs: Number, oneofs: true })["opentelemetry.proto.TraceService"] as {
      Export: MethodDefinition<WireRequest, object>;
    }
  ).Export.requestDeserialize;
  return read(bytes).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => collected(span, attributesOf(resource.attributes)))),
  );
}

const collected = (span: WireSpan, resource: Record<string, unknown>): CollectedSpan => ({
  traceId: span.traceId.toString("hex"),
  spanId: span.spanId.toString("hex"),
  parentId: span.parentSpanId.toString("hex"),
  traceState: span.traceState,
  name: span.name,
  kind: span.kind,
  status: span.status?.code ?? 0,
  attributes: attributesOf(span.attributes),
  resource,
  links: span.links.map(({ spanId }) => spanId.toString("hex")),
});

const attributesOf = (pairs: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, value[value.value]]));
