// The ways of a request through the build that settles: one of a route that does not, and one of each source.
import type { RequestPath } from "./paths.js";
import { plan } from "../host/harness/scenes/documents.js";
import { limit } from "../host/harness/scenes/limits.js";
import { headersOf } from "../host/harness/scenes/routed-requests.js";

const HEADERS = { ":status": "200", "content-type": "application/json", "x-cost": "7" };
const EVENT_HEADERS = { ...HEADERS, "content-type": "text/event-stream" };
const DOCUMENT = '{"id":"chat-1","choices":[{"message":{"content":"forty bytes of text, as they come here"}}],';
const USAGE = '"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}';

/** The response has a body of one piece, and no trailers unless it is said. */
function settlePath(name: string, settle: object, body: string, more: Partial<Way> = {}): RequestPath {
  const { headers = HEADERS, trailers, path = "/chat" } = more;
  const llm = limit("llm", 1000, { applies: "routes", tokenRefillRate: 1 });
  return {
    name,
    status: 200,
    policy: { plans: [plan({ maxTokens: 1000, tokenRefillRate: 1, limits: [llm] })] },
    routes: [{ match: { prefix: "/chat" }, limits: { llm: 40 }, settle: { limit: "llm", ...settle } }],
    prepared(edge) {
      const session = edge.sessionInTable({ tokens: 900 });
      const send = () => {
        const stream = edge.worker(0).open(headersOf({ path, session }));
        stream.attributes.set("metadata.filter_metadata.a.b", "7");
        stream.respondWith(headers, [Buffer.from(body)], trailers);
        return stream;
      };
      send();
      return send;
    },
  };
}

interface Way {
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers: Readonly<Record<string, string>>;
  readonly path: string;
}

export const SETTLE_PATHS: readonly RequestPath[] = [
  settlePath("not settled", { header: "x-cost" }, DOCUMENT, { path: "/" }),
  settlePath("by header", { header: "x-cost" }, DOCUMENT),
  settlePath("by trailer", { trailer: "x-cost" }, DOCUMENT, { trailers: { "x-cost": "7" } }),
  settlePath("by metadata", { metadata: ["a", "b"] }, DOCUMENT),
  settlePath("by JSON", { json: "/usage/total_tokens" }, DOCUMENT + USAGE),
  settlePath("by event", { json: "/usage/total_tokens" }, `data: ${DOCUMENT}${USAGE}\n\n`, { headers: EVENT_HEADERS }),
];
