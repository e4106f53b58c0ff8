// Every error that the HTTP API answers with: its code, its status, and what it means. The OpenAPI is made from this.
import type { FastifyReply } from "fastify";

export const ERRORS = {
  INVALID_REQUEST: { status: 400, message: "The request does not have the form that the API expects" },
  UNKNOWN_PLAN: { status: 400, message: "The policy has no plan of this name" },
  MALFORMED_JSON: { status: 400, message: "The body is not JSON" },
  MALFORMED_REQUEST: { status: 400, message: "The request is not HTTP as this server understands it" },
  UNAUTHORIZED: { status: 401, message: "A valid bearer token is required in the authorization header" },
  FORBIDDEN: { status: 403, message: "The token is an issuer's, and its scopes do not allow this" },
  SESSION_NOT_FOUND: { status: 404, message: "There is no session of this id" },
  REVOCATION_NOT_FOUND: { status: 404, message: "There is no revocation of this id, or it is long finished" },
  POLICY_NOT_HELD: { status: 404, message: "No policy waits for a confirmation" },
  ROUTE_NOT_FOUND: { status: 404, message: "There is no such route" },
  METHOD_NOT_ALLOWED: { status: 405, message: "This route does not take this method" },
  REQUEST_TIMEOUT: { status: 408, message: "The request did not arrive in time" },
  SESSION_ENDED: { status: 409, message: "The session has ended" },
  TOO_MANY_SESSIONS: { status: 409, message: "The user has as many live sessions in this plan as it allows" },
  NO_TOKEN_BUDGET: {
    status: 409,
    message: "The session's plan has no tokenBudget: there is nothing that could be consumed from",
  },
  TOKEN_BUDGET_EXCEEDED: { status: 409, message: "The session's token budget has less left than that" },
  POLICY_HASH_DIFFERS: { status: 409, message: "The policy that waits for a confirmation has another hash" },
  POLICY_REJECTED: { status: 409, message: "The policy cannot come into force any more" },
  BODY_TOO_LARGE: { status: 413, message: "The body is larger than this route takes" },
  URL_TOO_LONG: { status: 414, message: "A part of the path is longer than any that this server has" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: "The body must be application/json" },
  EXPECTATION_FAILED: { status: 417, message: "The server does not do what the Expect header asks for" },
  IDEMPOTENCY_KEY_REUSED: { status: 422, message: "The Idempotency-Key was used for another request" },
  TOO_MANY_REQUESTS: { status: 429, message: "More requests than this server takes: wait as Retry-After says" },
  HEADERS_TOO_LARGE: { status: 431, message: "The request's headers are larger than this server takes" },
  INTERNAL: { status: 500, message: "The request failed for a reason that is in the server's log" },
  NO_POLICY: { status: 503, message: "No policy is loaded yet" },
  NOT_WRITTEN: { status: 503, message: "The store did not take the write: try again as Retry-After says" },
  NOT_READY: { status: 503, message: "The control plane cannot take requests now" },
} as const;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetail {
  /** Path of the field that is wrong: `metadata.ip`. */
  readonly field?: string;
  /** Replaces the catalogue's message where more can be said. Never contains what the client sent as a value. */
  readonly message?: string;
}

export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly field?: string;
    /** As in the answer's x-request-id. */
    readonly requestId: string;
  };
}

export const bodyTooLarge = (maxBytes: number): ErrorDetail => ({
  message: `The body is larger than the ${maxBytes} bytes that this route takes`,
});
export const headersTooLarge = (maxBytes: number): ErrorDetail => ({
  message: `The request's headers are larger than the ${maxBytes} bytes that this server takes`,
});

/** The one form of every error. */
export function errorBody(code: ErrorCode, requestId: string, { message, field }: ErrorDetail = {}): ErrorBody {
  const said = { code, message: message ?? ERRORS[code].message };
  return { error: field === undefined ? { ...said, requestId } : { ...said, field, requestId } };
}

/** Sends the error, and leaves its code on the reply for metrics and log. */
export function sendError<Reply extends { errorCode: ErrorCode | null }>(
  reply: Reply,
  code: ErrorCode,
  detail?: ErrorDetail,
): Reply {
  reply.errorCode = code;
  // A route's reply is typed to take its successes only; errors have one form on every route.
  const untyped = reply as unknown as FastifyReply;
  void untyped.code(ERRORS[code].status).send(errorBody(code, untyped.request.id, detail));
  return reply;
}

/** For failures that arise inside the HTTP server: which code of the catalogue each is. */
const SERVER_FAILURES: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["FST_ERR_CTP_INVALID_JSON_BODY", "MALFORMED_JSON"],
  ["FST_ERR_CTP_BODY_TOO_LARGE", "BODY_TOO_LARGE"],
  ["FST_ERR_CTP_INVALID_MEDIA_TYPE", "UNSUPPORTED_MEDIA_TYPE"],
  ["FST_ERR_CTP_INVALID_CONTENT_LENGTH", "MALFORMED_REQUEST"],
  ["FST_ERR_BAD_URL", "MALFORMED_REQUEST"],
  ["FST_ERR_MAX_PARAM_LENGTH", "URL_TOO_LONG"],
  ["HPE_HEADER_OVERFLOW", "HEADERS_TOO_LARGE"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "REQUEST_TIMEOUT"],
]);

/** The code for a failure of the server or of its parser, undefined where it is none that is known. */
export function codeOfFailure(failure: string | undefined): ErrorCode | undefined {
  return failure === undefined ? undefined : SERVER_FAILURES.get(failure);
}
