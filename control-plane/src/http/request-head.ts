// What the head of a request must be before anything else is asked of it, and the id by which its answer is found in logs.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { Random } from "../app/ports/ports.js";
import type { HttpApp } from "./app.js";
import { answerBytes } from "./connections.js";
import { sendError } from "./errors.js";
import type { ErrorCode, ErrorDetail } from "./errors.js";

export const REQUEST_ID_HEADER = "x-request-id";

/** A caller's own id goes into answers and logs, so it may hold nothing that either could misread. Envoy's is a UUID. */
const CALLERS_ID = /^[\w.:-]{1,128}$/;
const ID_BYTES = 12;

/** The id of a request: the caller's `x-request-id` where that is fit for one, else a new one. */
export function requestIds(random: Random): (raw?: Pick<IncomingMessage, "headers">) => string {
  return (raw) => {
    const given = raw?.headers[REQUEST_ID_HEADER];
    if (typeof given === "string" && CALLERS_ID.test(given)) return given;
    return Buffer.from(random.bytes(ID_BYTES)).toString("hex");
  };
}

/** RFC 3986's host and port, with `|`, which stands in names that meshes give to clusters. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+;=%|-]+)(?::\d{0,5})?$/i;
/** An edge names the control plane by its Envoy cluster, which may be called anything visible. */
const CLUSTER = /^[\x21-\x7e]+$/;
const OF_EDGES = "/edge/";

const HOST_EXPECTED: ErrorDetail = { message: "The request must have one Host header, with a host name or address" };
const EXPECT_EXPECTED: ErrorDetail = { message: "The Expect header may only be 100-continue" };

/**
 * Denies what RFC 9110 and 9112 have a server deny, in the one form of errors: Node's own answers are empty. To be added
 * before the hooks of any route.
 */
export function denyHeads(app: HttpApp): void {
  app.addHook("onRequest", async (request, reply) => {
    reply.header(REQUEST_ID_HEADER, request.id);
    const { raw } = request;
    if (!hasHost(raw)) return sendError(reply, "MALFORMED_REQUEST", HOST_EXPECTED);
    const { expect = "100-continue" } = raw.headers;
    if (expect.toLowerCase() !== "100-continue") return sendError(reply, "EXPECTATION_FAILED", EXPECT_EXPECTED);
    return undefined;
  });
  // Without a listener Node answers these itself, or not at all.
  app.server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    app.routing(request, response);
  });
}

function hasHost({ rawHeaders, headers: { host }, httpVersion, url = "" }: IncomingMessage): boolean {
  if (host === undefined) return httpVersion === "1.0";
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === "host") hosts += 1;
  return hosts === 1 && (url.startsWith(OF_EDGES) ? CLUSTER : HOST).test(host);
}

interface UnroutedParts {
  readonly idOf: ReturnType<typeof requestIds>;
  readonly counted: (code: ErrorCode) => void;
}

/** CONNECT comes with a socket instead of an answer. */
export function answerConnect(app: HttpApp, { idOf, counted }: UnroutedParts): void {
  app.server.on("connect", (request: IncomingMessage, socket: Socket) => {
    // Node has taken its own listener off: a peer that resets would end the process.
    socket.on("error", () => {
      socket.destroy();
    });
    counted("METHOD_NOT_ALLOWED");
    answerBytes(socket, "METHOD_NOT_ALLOWED", idOf(request));
  });
}

/**
 * Tells a path without a route from a route that does not take the method. To be called before routes are added.
 * @param hintOf what is said of a path without a route, where more is known of it
 */
export function answerUnrouted(app: HttpApp, hintOf?: (path: string) => ErrorDetail | undefined): void {
  const routes: { readonly parts: readonly string[]; readonly methods: readonly string[] }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    routes.push({ parts: url.split("/"), methods: [method].flat() });
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ""] = request.url.split("?");
    const parts = path.split("/").map(decoded);
    const allowed = routes.filter((route) => isSamePath(route.parts, parts)).flatMap(({ methods }) => methods);
    if (allowed.length === 0) return sendError(reply, "ROUTE_NOT_FOUND", hintOf?.(path));
    const allow = [...new Set(allowed)].sort().join(", ");
    return sendError(reply.header("allow", allow), "METHOD_NOT_ALLOWED", { message: `This route takes ${allow}` });
  });
}

/** As the router reads it: `%73` is an s. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `:` begins a part of a route that stands for any. */
const isSamePath = (route: readonly string[], path: readonly string[]): boolean =>
  route.length === path.length &&
  route.every((part, i) => part === path[i] || (part.startsWith(":") && path[i] !== ""));
