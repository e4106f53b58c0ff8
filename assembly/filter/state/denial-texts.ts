// The answers to a client that is denied (docs/policy.md, "Answers"), built once at configure.
import {
  CODE_INVALID_SESSION,
  CODE_LIMITER_UNAVAILABLE,
  CODE_MISSING_SESSION,
  CODE_RATE_LIMIT_EXCEEDED,
  MESSAGE_BUDGET_SPENT,
  MESSAGE_INVALID_SESSION,
  MESSAGE_LIMITER_BUSY,
  MESSAGE_LIMITER_UNAVAILABLE,
  MESSAGE_MISSING_SESSION,
  MESSAGE_NO_POLICY,
  MESSAGE_RATE_LIMIT_EXCEEDED,
} from "../../contract";
import { Policy, RESPONSE_BODY_PROBLEM } from "../../domain/policy/model";
import { utf8 } from "../../memory/bytes";
import { addFixedPair, pairsBlock, startPairs } from "../../memory/header-pairs";

export const CONTENT_TYPE = utf8("content-type");
const RETRY_AFTER = utf8("retry-after");
const WWW_AUTHENTICATE = utf8("www-authenticate");

/** gRPC status codes (grpc.io, "Status codes and their use"). */
const GRPC_RESOURCE_EXHAUSTED: u32 = 8;
export const GRPC_UNAVAILABLE: u32 = 14;
const GRPC_UNAUTHENTICATED: u32 = 16;

const DEFAULT_HEADER: string = "x-session-id";
/** The default header as documents spell it; another is shown as the policy's. */
const DEFAULT_HEADER_SHOWN: string = "X-Session-ID";

export class Denial {
  body: ArrayBuffer;
  details: ArrayBuffer;

  constructor(
    public status: u32,
    public grpcStatus: u32,
    details: string,
    title: string,
    code: string,
    message: string,
    problem: bool,
  ) {
    this.details = utf8(details);
    this.body = utf8(
      problem
        ? `{"type":"about:blank","title":"${title}","status":${status},"detail":"${message}","code":"${code}"}`
        : `{"error":{"code":"${code}","message":"${message}"}}`,
    );
  }
}

export class DenialTexts {
  missing: Denial;
  invalid: Denial;
  limited: Denial;
  budgetSpent: Denial;
  unavailable: Denial;
  busy: Denial;
  noPolicy: Denial;
  contentType: ArrayBuffer;
  /** Header pairs, as the host takes them, of a 401 and of a 503: they are always the same. */
  challengePairs: ArrayBuffer;
  unavailablePairs: ArrayBuffer;
  /** Of a 503 that is over in a moment. */
  retryPairs: ArrayBuffer;

  constructor(policy: Policy) {
    const problem = policy.responseBody == RESPONSE_BODY_PROBLEM;
    const contentType = utf8(problem ? "application/problem+json" : "application/json");
    this.contentType = contentType;
    const header = policy.header == DEFAULT_HEADER ? DEFAULT_HEADER_SHOWN : policy.header;
    startPairs();
    addFixedPair(CONTENT_TYPE, contentType);
    this.unavailablePairs = pairsBlock();
    addFixedPair(RETRY_AFTER, utf8("1"));
    this.retryPairs = pairsBlock();
    startPairs();
    addFixedPair(CONTENT_TYPE, contentType);
    addFixedPair(WWW_AUTHENTICATE, utf8(`Session realm="sluice", header="${header}"`));
    this.challengePairs = pairsBlock();
    const noAuth = GRPC_UNAUTHENTICATED;
    const invalid = "sluice_invalid_session";
    const limited = "sluice_limited";
    const many = "Too Many Requests";
    this.missing = new Denial(
      401,
      noAuth,
      "sluice_missing_session",
      "Unauthorized",
      CODE_MISSING_SESSION,
      MESSAGE_MISSING_SESSION,
      problem,
    );
    this.invalid = new Denial(
      401,
      noAuth,
      invalid,
      "Unauthorized",
      CODE_INVALID_SESSION,
      MESSAGE_INVALID_SESSION,
      problem,
    );
    this.limited = new Denial(
      429,
      GRPC_RESOURCE_EXHAUSTED,
      limited,
      many,
      CODE_RATE_LIMIT_EXCEEDED,
      MESSAGE_RATE_LIMIT_EXCEEDED,
      problem,
    );
    this.budgetSpent = new Denial(
      429,
      GRPC_RESOURCE_EXHAUSTED,
      limited,
      many,
      CODE_RATE_LIMIT_EXCEEDED,
      MESSAGE_BUDGET_SPENT,
      problem,
    );
    this.unavailable = new Denial(
      503,
      GRPC_UNAVAILABLE,
      "sluice_unavailable",
      "Service Unavailable",
      CODE_LIMITER_UNAVAILABLE,
      MESSAGE_LIMITER_UNAVAILABLE,
      problem,
    );
    this.busy = new Denial(
      503,
      GRPC_UNAVAILABLE,
      "sluice_busy",
      "Service Unavailable",
      CODE_LIMITER_UNAVAILABLE,
      MESSAGE_LIMITER_BUSY,
      problem,
    );
    this.noPolicy = new Denial(
      503,
      GRPC_UNAVAILABLE,
      "sluice_no_policy",
      "Service Unavailable",
      CODE_LIMITER_UNAVAILABLE,
      MESSAGE_NO_POLICY,
      problem,
    );
  }
}
