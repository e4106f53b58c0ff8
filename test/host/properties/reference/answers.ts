// What is answered in place of the service (docs/policy.md, "Answers"), and what is counted and said of a request.
import type { Policy } from "../../../../control-plane/src/domain/policy/policy.js";
import type { Decided, Denial } from "./edge.js";
import type { Pairs } from "./pairs.js";

export interface PlainAnswer {
  readonly status: number;
  readonly details: string;
  /** What both forms of the body have. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Pairs;
}

const ANSWERS: Record<Denial, readonly [status: number, code: string, message: string, details: string]> = {
  limited: [429, "RATE_LIMIT_EXCEEDED", "Rate limit exceeded for session", "sluice_limited"],
  budget: [429, "RATE_LIMIT_EXCEEDED", "Token budget of the session is spent", "sluice_limited"],
  missing: [401, "MISSING_SESSION", "Session ID is required", "sluice_missing_session"],
  invalid: [401, "INVALID_SESSION", "Session is invalid or expired", "sluice_invalid_session"],
  unavailable: [503, "LIMITER_UNAVAILABLE", "Rate limiter is unavailable", "sluice_unavailable"],
};

/** Undefined where the request passes. */
export function plainAnswer(policy: Policy, decided: Decided): PlainAnswer | undefined {
  const { outcome, passes, levels, limit, retryAfter, limitHeaders } = decided;
  if (passes || !isDenial(outcome)) return undefined;
  const [status, code, message, details] = ANSWERS[outcome];
  const further = limit === levels?.plan.name ? undefined : limit;
  const type = policy.response.body === "problem" ? "application/problem+json" : "application/json";
  return {
    status,
    details: further === undefined ? details : `${details}_${further}`,
    body: { code, message, ...(further === undefined ? {} : { limit: further }) },
    headers: [
      [":status", String(status)],
      ["content-type", type],
      ...(status === 401 ? [["www-authenticate", challengeOf(policy, outcome)] as const] : []),
      ...limitHeaders,
      ...(retryAfter === undefined ? [] : [["retry-after", String(retryAfter)] as const]),
    ],
  };
}

function challengeOf({ token }: Policy, outcome: Denial): string {
  const [source] = token.from;
  if ("cookie" in source) return `Session realm="sluice", cookie="${source.cookie}"`;
  if ("header" in source) {
    return `Session realm="sluice", header="${source.header === "x-session-id" ? "X-Session-ID" : source.header}"`;
  }
  return `Bearer realm="sluice"${outcome === "invalid" ? ', error="invalid_token"' : ""}`;
}

function isDenial(outcome: Decided["outcome"]): outcome is Denial {
  return outcome in ANSWERS;
}

/** The outcome as metrics and access logs have it. */
function wordOf({ outcome, passes }: Decided): string {
  const word = outcome === "budget" ? "limited" : outcome;
  return isDenial(outcome) && passes ? `shadow_${word}` : word;
}

/** What a request adds to the counters, by their names. */
export function plainCounted(decided: Decided): Record<string, number> {
  const { outcome, levels, limit, cost = 0, reserved } = decided;
  if (outcome === "off") return {};
  const plan = levels === undefined ? "" : `,plan="${levels.plan.name}"`;
  const refused = outcome === "limited" || outcome === "budget" ? `,limit="${limit ?? levels?.plan.name ?? ""}"` : "";
  const isOwn = reserved !== undefined && reserved.charge.bucket.name === levels?.plan.name;
  return {
    [`sluice_requests_total{outcome="${wordOf(decided)}"${plan}${refused}}`]: 1,
    [`sluice_tokens_spent_total{plan="${levels?.plan.name ?? ""}"}`]: isOwn ? 0 : cost,
    sluice_tokens_reserved_total: reserved?.charge.cost ?? 0,
  };
}

/** What access logs are told. */
export function plainAnnotations({ annotate }: Policy, decided: Decided): Record<string, string> {
  const { outcome, session, levels, limit } = decided;
  const all = {
    session: session?.id,
    plan: session && levels?.plan.name,
    decision: wordOf(decided),
    limit: outcome === "limited" ? limit : undefined,
  };
  const said = annotate.flatMap((word) => {
    const value = all[word];
    return value === undefined ? [] : [[`sluice.${word}`, value] as const];
  });
  return Object.fromEntries(said);
}
