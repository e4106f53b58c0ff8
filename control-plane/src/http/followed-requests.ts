// Follows each request: what is logged for it carries its ids, and where spans are made it is one.
import type { FastifyReply, FastifyRequest } from "fastify";

import { HEADER_EDGE } from "../../../assembly/contract.js";
import { idsOf } from "../app/ports/tracing-ports.js";
import type { FollowedRequest, RequestIds, Requests, Spans } from "../app/ports/tracing-ports.js";
import { readTraceParent } from "../domain/trace-parent.js";
import type { HttpApp } from "./app.js";
import { onEnd } from "./request-ends.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** False: its calls are held, and a span that lasts as long would say nothing. */
    readonly traced?: false;
  }
  interface FastifyRequest {
    /** Null where it did not come so far. */
    followed: FollowedRequest | null;
  }
}

/** To be called behind `followEnds`, and before any hook that may log, or answer. */
export function followRequests(app: HttpApp, requests: Requests): void {
  app.decorateRequest("followed", null);
  app.addHook("onRequest", (request, _reply, done) => {
    const { traceparent, tracestate } = request.headers;
    const caller = readTraceParent(traceparent, tracestate);
    request.followed = { requestId: request.id, caller, span: undefined, isOver: false };
    requests.run([request.followed], done);
  });
  // A body comes with events of the connection, which are no request's.
  app.addHook("preValidation", ({ followed }, _reply, done) => {
    requests.run(followed === null ? [] : [followed], done);
  });
  onEnd(app, ({ followed }) => {
    if (followed !== null) followed.isOver = true;
  });
}

/** What a line about a request says of it, wherever it is written. */
export const shownIds = ({ id, followed }: FastifyRequest): RequestIds =>
  followed === null ? { requestId: id } : idsOf(followed);

/**
 * A span for each request of a scope. To be called behind its guard: who is not let in makes no span, and cannot have one kept by
 * saying so in a header.
 */
export function spanRequests(app: HttpApp, spans: Spans): void {
  app.addHook("onRequest", (request, _reply, done) => {
    const { followed, method, routeOptions } = request;
    if (followed !== null && routeOptions.config.traced !== false) {
      const name = `${method} ${routeOptions.url ?? ""}`;
      followed.span = spans.request({ name, attributes: startOf(request) }, followed.caller);
    }
    done();
  });
  onEnd(app, ({ followed }, reply, isAnswered) => {
    if (isAnswered) followed?.span?.end(endOf(reply), failureOf(reply));
    else followed?.span?.end({}, CLIENT_CLOSED);
  });
}

/** As `error.type`, where other spans have the code of an error. */
const CLIENT_CLOSED = "client_closed";
const MAX_EDGE_CHARS = 256;

function startOf(request: FastifyRequest): Record<string, string> {
  const { method, protocol, headers, routeOptions } = request;
  const edge = headers[HEADER_EDGE];
  return {
    "http.request.method": method,
    "http.route": routeOptions.url ?? "",
    "url.scheme": protocol,
    "url.path": shownPath(request),
    "sluice.request.id": request.id,
    ...(typeof edge === "string" && { "sluice.edge": edge.slice(0, MAX_EDGE_CHARS) }),
  };
}

const endOf = ({ statusCode, errorCode }: FastifyReply): Record<string, string | number> => ({
  "http.response.status_code": statusCode,
  ...(errorCode !== null && { "sluice.error.code": errorCode }),
});

const failureOf = ({ statusCode, errorCode }: FastifyReply): string | undefined =>
  statusCode >= 500 ? (errorCode ?? String(statusCode)) : undefined;

/** What in a path is public: ids and numbers. */
const PUBLIC = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,15})$/;

/** The path without what it does not have to say: a token may have been pasted into it. */
function shownPath({ routeOptions, params }: FastifyRequest): string {
  const given = params as Readonly<Record<string, string>>;
  return (routeOptions.url ?? "").replace(/:(\w+)/g, (part, name: string) => {
    const value = given[name] ?? "";
    return PUBLIC.test(value) ? value : part;
  });
}
