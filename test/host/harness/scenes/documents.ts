// What an edge of the tests is configured with, and what the control plane answers it, unless a test says otherwise.
import { MICROTOKENS_PER_TOKEN } from "../../../../assembly/contract.js";

export const SECRET = "5ec2e7".padEnd(64, "0123456789abcdef");
export const OTHER_SECRET = "07e4".padEnd(64, "fedcba9876543210");
export const ACQUIRE_TIMEOUT_MS = 250;
export const MAX_AGE_MS = 60_000;
export const LIFETIME_MS = 3_600_000;
export const REPORT_INTERVAL_MS = 5000;
/** The control plane's invalidation log and its cursor, unless a test says otherwise. */
export const LOG = "a1b2c3d4e5f60718";
export const CURSOR = 41;
/** Another history: that of a store which was restored. */
export const OTHER_LOG = "0f1e2d3c4b5a6978";

export type PolicyDocument = Readonly<Record<string, unknown>>;
type PlanOverrides = Readonly<Record<string, unknown>>;

/** One plan: 10 tokens that never refill, so that every token can be counted. */
export function plan(overrides: PlanOverrides = {}): PlanOverrides {
  const limits = { maxTokens: 10, tokenRefillRate: 0, maxAge: MAX_AGE_MS, lifetime: LIFETIME_MS };
  return { id: 0, name: "default", ...limits, ...overrides };
}

export function policy(overrides: PolicyDocument = {}): PolicyDocument {
  return { version: 1, plans: [plan()], ...overrides };
}

/** Edge settings that follow the control plane, and have a policy of their own until its policy comes. */
export function settings(own: PolicyDocument | undefined, overrides: PolicyDocument = {}): string {
  return JSON.stringify({ version: 1, table: { capacity: 1024 }, policy: own, ...overrides });
}

/** What the control plane answers of a session that lives. */
export interface LiveAnswer {
  readonly plan?: number;
  readonly endsInMs?: number;
  /** Whole tokens. */
  readonly tokens?: number;
  readonly consumed?: number;
  readonly rev?: number;
  readonly budgetSpent?: boolean;
  /** Of further limits, whole tokens. */
  readonly levels?: Readonly<Record<string, number>>;
  /** Of a fleet plan: what comes with the answer. */
  readonly lease?: object;
  readonly log?: string;
  readonly cursor?: number;
  /** Of the policy that the control plane gives this edge. */
  readonly generation?: number;
}

export function liveAnswer(answer: LiveAnswer = {}): string {
  const { tokens = 10, plan: planId = 0, endsInMs = LIFETIME_MS, consumed = 0, rev = 0, budgetSpent = false } = answer;
  const level = tokens * MICROTOKENS_PER_TOKEN;
  const logCursor = { log: answer.log ?? LOG, cursor: answer.cursor ?? CURSOR };
  const held = Object.entries(answer.levels ?? {}).map(([name, left]) => [name, left * MICROTOKENS_PER_TOKEN]);
  const levels = answer.levels === undefined ? undefined : (Object.fromEntries(held) as Record<string, number>);
  const bucket = { plan: planId, endsInMs, level, consumed, rev, budgetSpent, levels, lease: answer.lease };
  return JSON.stringify({ state: "live", ...bucket, ...logCursor, generation: answer.generation });
}

export function endedAnswer(state: "revoked" | "expired" | "unknown", endsInMs = LIFETIME_MS, cursor = CURSOR): string {
  return JSON.stringify({ state, endsInMs, log: LOG, cursor });
}

/** Of a session that nobody can hold while the store takes no writes. */
export function unavailableAnswer(): string {
  return JSON.stringify({ state: "unavailable", log: LOG, cursor: CURSOR });
}

/** What the control plane answers once a report's rows are durable. */
export function reportAnswer(refresh: readonly string[] = [], log = LOG): string {
  return JSON.stringify({ log, refresh });
}

/** What a held watch is answered with: what was invalidated since, up to `cursor`. */
export interface Invalidations {
  readonly revoked?: readonly string[];
  readonly refresh?: readonly string[];
  readonly cursor?: number;
  readonly log?: string;
}

export function watchAnswer({ revoked = [], refresh = [], cursor = CURSOR + 1, log = LOG }: Invalidations): string {
  return JSON.stringify({ log, cursor, revoked, refresh });
}

/** The edge's place is out of the log's reach: it is to begin anew at `cursor`. */
export function resetAnswer(cursor = CURSOR, log = OTHER_LOG): string {
  return JSON.stringify({ reset: true, log, cursor });
}
