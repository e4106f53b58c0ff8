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
import { DEFAULT_HEADER, SOURCE_BEARER, SOURCE_HEADER, TokenSource } from "../../domain/policy/token-model";
import { utf8 } from "../../memory/bytes";
import { Denial, DenialHeaders } from "./denial";

/** gRPC status codes (grpc.io, "Status codes and their use"). */
const GRPC_RESOURCE_EXHAUSTED: u32 = 8;
export const GRPC_UNAVAILABLE: u32 = 14;
const GRPC_UNAUTHENTICATED: u32 = 16;

/** The default header as documents spell it; another is shown as the policy's. */
const DEFAULT_HEADER_SHOWN: string = "X-Session-ID";

export class DenialTexts {
  /** For a client that reads plain HTTP. */
  contentType: ArrayBuffer;
  missing: Denial;
  invalid: Denial;
  limited: Denial;
  budgetSpent: Denial;
  unavailable: Denial;
  busy: Denial;
  noPolicy: Denial;

  constructor(policy: Policy) {
    const problem = policy.responseBody == RESPONSE_BODY_PROBLEM;
    const type = utf8(problem ? "application/problem+json" : "application/json");
    this.contentType = type;
    const source = policy.tokenSources[0];
    const challenge = new DenialHeaders(type, utf8("www-authenticate"), utf8(challengeOf(source)));
    let rejection = challenge;
    if (source.kind == SOURCE_BEARER) {
      // RFC 6750 section 3.1: only of a request that had a token.
      const value = utf8(`${challengeOf(source)}, error="invalid_token"`);
      rejection = new DenialHeaders(type, utf8("www-authenticate"), value);
    }
    // Of a 503 that is over in a moment.
    const retry = new DenialHeaders(type, utf8("retry-after"), utf8("1"));
    const none = DenialHeaders.plain(type);

    const noAuth = GRPC_UNAUTHENTICATED;
    let code = CODE_MISSING_SESSION;
    let text = MESSAGE_MISSING_SESSION;
    this.missing = new Denial(401, noAuth, "sluice_missing_session", code, text, problem, challenge);
    code = CODE_INVALID_SESSION;
    text = MESSAGE_INVALID_SESSION;
    this.invalid = new Denial(401, noAuth, "sluice_invalid_session", code, text, problem, rejection);

    const many = GRPC_RESOURCE_EXHAUSTED;
    code = CODE_RATE_LIMIT_EXCEEDED;
    text = MESSAGE_RATE_LIMIT_EXCEEDED;
    this.limited = new Denial(429, many, "sluice_limited", code, text, problem, none);
    text = MESSAGE_BUDGET_SPENT;
    this.budgetSpent = new Denial(429, many, "sluice_limited", code, text, problem, none);

    const away = GRPC_UNAVAILABLE;
    code = CODE_LIMITER_UNAVAILABLE;
    text = MESSAGE_LIMITER_UNAVAILABLE;
    this.unavailable = new Denial(503, away, "sluice_unavailable", code, text, problem, none);
    text = MESSAGE_LIMITER_BUSY;
    this.busy = new Denial(503, away, "sluice_busy", code, text, problem, retry);
    text = MESSAGE_NO_POLICY;
    this.noPolicy = new Denial(503, away, "sluice_no_policy", code, text, problem, retry);
  }
}

/** What a 401 asks for: a token in the policy's first place. */
function challengeOf(source: TokenSource): string {
  if (source.kind == SOURCE_BEARER) return 'Bearer realm="sluice"';
  if (source.kind != SOURCE_HEADER) return `Session realm="sluice", cookie="${source.name}"`;
  const header = source.name == DEFAULT_HEADER ? DEFAULT_HEADER_SHOWN : source.name;
  return `Session realm="sluice", header="${header}"`;
}
