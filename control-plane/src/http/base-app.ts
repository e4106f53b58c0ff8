// What every listener of the process is built on: its limits, its one form of error, and its log lines.
import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyError } from "fastify";

import { isNotWritten } from "../app/ports/not-written.js";
import type { Random } from "../app/ports/ports.js";
import type { Requests } from "../app/ports/tracing-ports.js";
import type { TlsIdentity } from "../tls/tls.js";
import type { HttpApp } from "./app.js";
import { BodyDenied, denyQueries } from "./bodies.js";
import { COMPILERS } from "./compiled-schemas.js";
import { answerUnparsed, endConnectionsOnClose } from "./connections.js";
import { bodyTooLarge, codeOfFailure, sendError } from "./errors.js";
import type { ErrorCode, ErrorDetail } from "./errors.js";
import { followRequests, shownIds } from "./followed-requests.js";
import { describeViolation } from "./field-violations.js";
import type { ValidatorError } from "./field-violations.js";
import { dropUnanswerable } from "./pipelining.js";
import { followEnds, onEnd } from "./request-ends.js";
import { answerConnect, answerUnrouted, denyHeads, REQUEST_ID_HEADER, requestIds } from "./request-head.js";
import { FORMATS } from "./schemas.js";
import { REQUEST_TIMEOUT_MS, transportOptions } from "./transport.js";

export interface BaseOptions {
  readonly log: FastifyBaseLogger;
  /** For ids of requests. */
  readonly random: Random;
  /** Left out: lines that are written for a request, but not about it, do not say which. */
  readonly requests?: Requests;
  /** Null: plain HTTP. */
  readonly tls: TlsIdentity | null;
  /** Hears of each error that is answered. */
  readonly httpError: (code: ErrorCode) => void;
  /** What is said of a path that this listener does not have, where more is known of it. */
  readonly hintOf?: (path: string) => ErrorDetail | undefined;
}

/** Longer than an edge's connections rest before it closes them, so that closing is theirs. */
const KEEP_ALIVE_MS = 75_000;

/** What an admin sends is a few short strings. Routes that take more, or less, say so. */
const MAX_BODY_BYTES = 16 * 1024;

/** Without a route. Calls under way when it closes are finished, as the last ones on their connections. */
export function baseApp(options: BaseOptions): HttpApp {
  const app = newApp(options);
  app.decorateReply("errorCode", null);
  dropUnanswerable(app);
  followEnds(app);
  if (options.requests === undefined) app.decorateRequest("followed", null);
  else followRequests(app, options.requests);
  observe(app, options);
  denyHeads(app);
  answerUnrouted(app, options.hintOf);
  endConnectionsOnClose(app);
  answerErrors(app, options.log);
  denyQueries(app);
  return app;
}

function newApp({ log, tls, random, httpError }: BaseOptions): HttpApp {
  const idOf = requestIds(random);
  const app = Fastify({
    // Its own lines: only what went wrong. Where it listens is said once, of all listeners.
    loggerInstance: log.child({}, { level: "warn" }),
    logController: new LogController({ disableRequestLogging: true }),
    // A logger for each request, with its own fields redacted anew, costs as much as all else that few lines need.
    childLoggerFactory: (logger) => logger,
    ...transportOptions(tls),
    requestTimeout: REQUEST_TIMEOUT_MS,
    bodyLimit: MAX_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Calls that are under way when the server stops are finished.
    return503OnClosing: false,
    genReqId: idOf,
    clientErrorHandler: (error, socket) => {
      answerUnparsed(error, socket, { id: idOf(), counted: httpError });
    },
    frameworkErrors: (error, { id }, reply) => {
      const code = codeOfFailure(error.code) ?? "MALFORMED_REQUEST";
      // No hook sees these: they arise before there is a route.
      httpError(code);
      sendError(reply.header(REQUEST_ID_HEADER, id), code);
    },
    schemaController: { compilersFactory: COMPILERS },
    // What was sent is validated, never bent into shape.
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        verbose: true,
        formats: FORMATS,
      },
    },
  });
  answerConnect(app, { idOf, counted: httpError });
  return app;
}

/** The store is looked at each second. */
const NOT_WRITTEN_RETRY_S = 1;

function answerErrors(app: HttpApp, log: BaseOptions["log"]): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error instanceof BodyDenied) return sendError(reply, error.code, error.detail);
    const violation = error.validation?.at(-1);
    if (violation !== undefined)
      return sendError(reply, "INVALID_REQUEST", describeViolation(violation as ValidatorError));
    if (isNotWritten(error)) return sendError(reply.header("retry-after", NOT_WRITTEN_RETRY_S), "NOT_WRITTEN");
    const code = codeOfFailure(error.code) ?? (error.statusCode === 400 ? "MALFORMED_JSON" : "INTERNAL");
    if (code === "INTERNAL") log.error({ event: "request-failed", ...shownIds(request), err: error }, "request failed");
    return sendError(reply, code, code === "BODY_TOO_LARGE" ? bodyTooLarge(request.routeOptions.bodyLimit) : {});
  });
}

/** Counts errors and logs requests: by route, never by URL, in which a token may have been pasted. */
function observe(app: HttpApp, { httpError, log }: BaseOptions): void {
  onEnd(app, (request, reply, isAnswered) => {
    const { errorCode, statusCode, elapsedTime: durationMs } = reply;
    const { method, routeOptions } = request;
    const fields = { ...shownIds(request), method, route: routeOptions.url };
    if (!isAnswered) {
      log.debug({ event: "request-hung-up", ...fields, durationMs }, "the caller hung up before the answer was sent");
      return;
    }
    if (errorCode !== null) httpError(errorCode);
    log.debug({ event: "request", ...fields, statusCode, errorCode, durationMs }, "request");
  });
}
