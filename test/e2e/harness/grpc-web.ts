// Calls of gRPC-Web through the proxy, as a browser makes them: over HTTP/1.1, with the outcome in the body's last frame.
import { parseDocument } from "yaml";
import { METHOD } from "./grpc.js";

const FRAME_START_BYTES = 5;
const TRAILERS = 0x80;

export interface WebOutcome {
  readonly code: number;
  readonly details: string;
  readonly type: string | null;
  /** What the service said; undefined if it was not reached. */
  readonly answer: Buffer | undefined;
  readonly headers: Headers;
}

/** One call with a message of plain bytes. */
export async function callGrpcWeb(port: number, type: string, message: string, token?: string): Promise<WebOutcome> {
  const isText = type.includes("-text");
  const body = frameOf(Buffer.from(message));
  const response = await fetch(`http://127.0.0.1:${port}${METHOD}`, {
    method: "POST",
    headers: { "content-type": type, accept: type, ...(token === undefined ? {} : { "x-session-id": token }) },
    body: isText ? body.toString("base64") : new Uint8Array(body),
  });
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const { answer, trailers } = framesOf(isText ? decoded(bytes.toString()) : bytes);
  const { headers } = response;
  // With no message the outcome may stand in the headers.
  const field = (name: string): string => trailers.get(name) ?? headers.get(name) ?? "";
  const details = decodeURIComponent(field("grpc-message"));
  return { code: Number(field("grpc-status")), details, type: headers.get("content-type"), answer, headers };
}

/** Envoy's own filter for gRPC-Web, before Sluice or behind it. */
export function withGrpcWebFilter(bootstrap: string, place: "before" | "behind"): string {
  const document = parseDocument(bootstrap);
  const path = ["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config", "http_filters"];
  const [sluice, ...rest] = (document.toJS() as Bootstrap).static_resources.listeners[0].filter_chains[0].filters[0]
    .typed_config.http_filters;
  const name = "envoy.filters.http.grpc_web";
  const type = "type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb";
  const web = { name, typed_config: { "@type": type } };
  document.setIn(path, document.createNode(place === "before" ? [web, sluice, ...rest] : [sluice, web, ...rest]));
  return document.toString({ lineWidth: 0 });
}

interface Bootstrap {
  static_resources: {
    listeners: [{ filter_chains: [{ filters: [{ typed_config: { http_filters: object[] } }] }] }];
  };
}

function frameOf(message: Buffer): Buffer {
  const start = Buffer.alloc(FRAME_START_BYTES);
  start.writeUInt32BE(message.length, 1);
  return Buffer.concat([start, message]);
}

function framesOf(bytes: Buffer): { answer: Buffer | undefined; trailers: Map<string, string> } {
  let answer: Buffer | undefined;
  const trailers = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const end = at + FRAME_START_BYTES + bytes.readUInt32BE(at + 1);
    const content = bytes.subarray(at + FRAME_START_BYTES, end);
    if (bytes.readUInt8(at) !== TRAILERS) answer = content;
    else for (const line of content.toString().trimEnd().split("\r\n")) trailers.set(...fieldOf(line));
    at = end;
  }
  return { answer, trailers };
}

function fieldOf(line: string): [name: string, value: string] {
  const at = line.indexOf(":");
  return [line.slice(0, at), line.slice(at + 1).trim()];
}

/** Each frame may be padded by itself. */
function decoded(text: string): Buffer {
  const parts = text.match(/[^=]+=*/g) ?? [];
  return Buffer.concat(parts.map((part) => Buffer.from(part, "base64")));
}
